"""One hook of adnanh/webhook as a source and a hook of ours, or the notes on why it is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from hookrt.config.nodes import Node
from hookrt.errors import ExpressionError
from hookrt.importing.adnanh.algebra import FALSE, TRUE, Condition, all_of, quote
from hookrt.importing.adnanh.commands import Step, make_step
from hookrt.importing.adnanh.conditions import Conditions, denied_in, matches_of
from hookrt.importing.adnanh.definition import Answer, Definition
from hookrt.importing.adnanh.rules import Match, Rule
from hookrt.importing.adnanh.values import find, in_request, through_list
from hookrt.importing.adnanh.verifying import Proof, Verifier, find_verifier, refuse_secret_conditions
from hookrt.importing.naming import MovedSecrets, mention, secret_name, variable
from hookrt.importing.notes import Kind, Notes, Untranslatable
from hookrt.importing.yaml_text import Value, block, comment, long_expression, mapping, scalar
from hookrt.matching.attribute import compile_attribute
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.plugin.inbound_settings import check_reply_headers


@dataclass(frozen=True, slots=True)
class Written:
    """The lines of a source and of a hook, without the comments above them."""

    source: list[str]
    hook: list[str]


@dataclass(slots=True)
class HookWriter:
    """Writes one hook under a name of ours, noting what differs and moving its secrets out."""

    name: str
    definition: Definition
    notes: Notes
    secrets: MovedSecrets

    def write(self) -> Written:
        """Its source and its hook; raises Untranslatable where there can be none that mean the same."""
        definition = self.definition
        verifier, rest = find_verifier(definition.rule, definition.node, soft=definition.soft)
        refuse_secret_conditions([match for part in rest for match in matches_of(part)])
        step = make_step(definition.program)
        event_type, when = self._condition(rest)
        source = self._source(verifier, event_type, step)
        hook = self._hook(when, step)
        self._note_differences(rest, verifier, step)
        return Written(source, hook)

    def _condition(self, rest: Sequence[Rule]) -> tuple[str, Condition]:
        """The source's expression for the event's type, and the hook's condition: one of the two decides."""
        of_request = any(in_request(match.parameter) for part in rest for match in matches_of(part))
        written = Conditions("body" if of_request else "event.data")
        condition = all_of(written.certain(part) for part in rest)
        if condition == FALSE:
            raise Untranslatable(self.definition.node, "its rule never holds for a request that a source takes")
        name = quote(self.name)
        if not of_request or condition == TRUE:
            self._check(condition.text, in_source=False)
            return name, condition
        event_type = f"{condition.text} ? {name} : {quote(self.name + '.not-triggered')}"
        self._check(event_type, in_source=True)
        return event_type, TRUE

    def _check(self, text: str, *, in_source: bool) -> None:
        try:
            compile_attribute(text) if in_source else compile_condition(text, Names())
        except ExpressionError as error:
            raise Untranslatable(self.definition.node, f"its rule is no condition here: {error.message}") from None

    def _source(self, verifier: Verifier, event_type: str, step: Step) -> list[str]:
        mentions = [mention(self._move(proof)) for proof in verifier.secrets]
        secret: Value = mentions[0] if len(mentions) == 1 else mentions
        lines = [f"  {self.name}:", f"    {verifier.plugin}:"]
        for key, value in verifier.settings.items():
            lines += block(key, value.replace("${{", "$${{"), 6)
        lines += block("secret", secret, 6)
        lines += long_expression("type", event_type, 6)
        if step.subject is not None:
            lines += long_expression("subject", step.subject, 6)
        lines.append("      id: event.time                  # each request counts, also one that came before")
        respond = self._respond(self.definition.answer)
        return lines + (block("respond", respond, 6) if respond else [])

    def _move(self, proof: Proof) -> str:
        if proof.variable is not None:
            name, new = self.secrets.take_variable(proof.variable)
            text = f"set {variable(name)} to what the variable {proof.variable} holds"
        else:
            name, new = self.secrets.take(secret_name(self.name, "secret"), proof.value)
            text = f"set {variable(name)} to the secret that stands here (--secrets-to FILE writes it)"
        if new:
            self.notes.add(Kind.TO_DO, proof.node, text, self.name)
        return name

    def _respond(self, answer: Answer) -> Mapping[str, Value]:
        status = answer.status if answer.status in set(HTTPStatus) else None
        if status is not None and not 200 <= status <= 299:
            self._differs(f"the sender is answered 200, not {status}: what was taken is answered 200 to 299")
            status = None
        headers = dict(self._headers(answer))
        if not (status or headers or answer.message):
            return {}
        body = {"body": answer.message} if status not in (204, 205) else {}
        return {**({"status": status} if status else {}), **({"headers": headers} if headers else {}), **body}

    def _headers(self, answer: Answer) -> Iterator[tuple[str, str]]:
        for name, value in answer.headers.items():
            try:
                check_reply_headers({name: value})
                yield name, value
            except ValueError as error:
                self._differs(f"the answer goes without the header {name!r}: {error}")

    def _hook(self, when: Condition, step: Step) -> list[str]:
        lines = [f"  {self.name}:", f"    on: {scalar(self.name)}", f"    from: {scalar(self.name)}"]
        if when != TRUE:
            lines += long_expression("when", when.text, 4)
        lines += ["    steps:", "      - command:"]
        for key, value in step.settings.items():
            lines += block(key, value, 10) if not isinstance(value, Mapping) else mapping(key, value, 10)
        return lines

    def _note_differences(self, rest: Sequence[Rule], verifier: Verifier, step: Step) -> None:
        answer, header = self.definition.answer, verifier.settings.get("header", "")
        for entry in self.definition.unknown:
            self._differs(f"webhook ignores the key {entry.key.text!r}, and so is it here", entry.key)
        if verifier.prefix_guessed and verifier.plugin == "hmac":
            form = f"{header} is taken as the signature alone; if it begins with a name like `sha256=`, add `prefix`"
            self._differs(form)
        if set(self.definition.methods) - {"POST"}:
            self._differs("only POST is taken, and no other method")
        if answer.mismatch not in (None, 200):
            self._differs(f"a request that does not meet the rule is answered as any, not with {answer.mismatch}")
        if step.subject is not None:
            self._differs(
                "the value from the headers or the query is the event's subject: a request with more than 255 "
                "characters there, or with control characters, is refused with 400"
            )
        if any(one.source == "entire-payload" for one in self.definition.program.values):
            self._differs("the whole body as an argument is JSON with its keys as the sender ordered them")
        for match in (match for part in rest for match in matches_of(part)):
            self._note_match(match)
        for match in (match for part in rest for match in denied_in(part)):
            if through_list(find(match.parameter, "body")):
                self._differs("`not` of a value in a list does not hold where what it is in is missing", match.node)
        self._note_what_to_do()

    def _note_what_to_do(self) -> None:
        identity, command = self.definition.identity, self.definition.program.command
        if identity != self.name:
            text = f"what is /hooks/{identity} at webhook is /in/{self.name} here"
            self.notes.add(Kind.TO_DO, self.definition.node, text, self.name)
        if " " in command:
            text = f"{command!r} is the name of one program, as it is for webhook: arguments are items of `argv`"
            self.notes.add(Kind.TO_DO, self.definition.node, text, self.name)

    def _note_match(self, match: Match) -> None:
        parameter = match.parameter
        if parameter is None or parameter.source != "payload":
            return
        if parameter.name.partition(".")[0] == "root":
            self._differs("a body that is a list is itself the event's data, and not below `root`", match.node)
        if match.kind == "value" and match.value[:1].isdigit():
            self._differs("a number is compared by its value, not by how it is written: 1.0 is 1", match.node)

    def _differs(self, text: str, node: Node | None = None) -> None:
        self.notes.add(Kind.DIFFERS, node or self.definition.node, text, self.name)


def note_lines(notes: Notes, name: str | None, indent: int) -> list[str]:
    """The notes on a hook as comments."""
    return [line for note in notes.of(name) for line in comment(str(note), indent, "   ")]
