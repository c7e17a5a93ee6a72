"""One hook of adnanh/webhook as it was written, read whole."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.config.nodes import Entry, Node
from hookrt.importing.adnanh.commands import Program
from hookrt.importing.adnanh.rules import Argument, Rule, read_argument, read_rule
from hookrt.importing.adnanh.texts import Keys, flag_of, items_of, number_of, text_of
from hookrt.importing.notes import Untranslatable

KNOWN = frozenset(
    {
        "id",
        "execute-command",
        "command-working-directory",
        "response-message",
        "response-headers",
        "success-http-response-code",
        "http-methods",
        "incoming-payload-content-type",
        "include-command-output-in-response",
        "include-command-output-in-response-on-error",
        "pass-arguments-to-command",
        "pass-environment-to-command",
        "pass-file-to-command",
        "parse-parameters-as-json",
        "trigger-rule",
        "trigger-rule-mismatch-http-response-code",
        "trigger-signature-soft-failures",
    }
)
"""The keys of a hook."""

_REFUSED = {
    "pass-file-to-command": "values of the request as files have nothing like it here",
    "parse-parameters-as-json": "a parameter that holds JSON itself stays a text here; of GitHub's forms have it send "
    "`application/json`",
}
_OUTPUT = "include-command-output-in-response"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is answered with when the command is started; `mismatch` is the status when it is not."""

    message: str
    headers: dict[str, str]
    status: int | None
    mismatch: int | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A hook. `unknown` are the keys that webhook ignores, `methods` those that it takes, none for any."""

    identity: str
    node: Node
    program: Program
    rule: Rule | None
    soft: bool
    answer: Answer
    methods: tuple[str, ...]
    unknown: tuple[Entry, ...]


def read_definition(keys: Keys) -> Definition:
    """The hook of a mapping; raises Untranslatable for what nothing here is like."""
    _refuse_others(keys)
    rule = keys.get("trigger-rule")
    methods = tuple(method.upper() for method in _texts(keys.get("http-methods")))
    if methods and "POST" not in methods:
        raise Untranslatable(keys.entries["http-methods"].value, "a source takes POST only")
    return Definition(
        identity=keys.text("id"),
        node=keys.node,
        program=_read_program(keys),
        rule=None if rule is None else read_rule(rule),
        soft=flag_of(keys.get("trigger-signature-soft-failures")),
        answer=_read_answer(keys),
        methods=methods,
        unknown=tuple(keys.unknown(KNOWN)),
    )


def _refuse_others(keys: Keys) -> None:
    for name, why in _REFUSED.items():
        node = keys.get(name)
        if node is not None and items_of(node):
            raise Untranslatable(node, f"`{name}`: {why}")
    node = keys.get(_OUTPUT)
    if node is not None and flag_of(node):
        why = "the sender is answered once its event is stored, before the command runs, and not with its output"
        raise Untranslatable(node, f"`{_OUTPUT}`: {why}")
    node = keys.get("incoming-payload-content-type")
    if node is not None and "json" not in keys.text("incoming-payload-content-type"):
        raise Untranslatable(node, "the sender's own content type says how a body is read, no setting")


def _read_program(keys: Keys) -> Program:
    return Program(
        command=keys.text("execute-command"),
        cwd=keys.text("command-working-directory"),
        arguments=_arguments(keys.get("pass-arguments-to-command")),
        variables=_arguments(keys.get("pass-environment-to-command")),
        node=keys.node,
    )


def _arguments(node: Node | None) -> tuple[Argument, ...]:
    return tuple(read_argument(item) for item in items_of(node))


def _read_answer(keys: Keys) -> Answer:
    headers = [Keys.of(item, "a header") for item in items_of(keys.get("response-headers"))]
    return Answer(
        message=keys.text("response-message"),
        headers={one.text("name"): one.text("value") for one in headers},
        status=number_of(keys.get("success-http-response-code")),
        mismatch=number_of(keys.get("trigger-rule-mismatch-http-response-code")),
    )


def _texts(node: Node | None) -> list[str]:
    return [text_of(item).strip() for item in items_of(node)]
