"""A hooks file of adnanh/webhook as a hooks.yaml of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hookrt.config.nodes import ListNode, Node
from hookrt.errors import HookrtError
from hookrt.importing.adnanh.definition import read_definition
from hookrt.importing.adnanh.hook import HookWriter, Written, note_lines
from hookrt.importing.adnanh.texts import Keys, mark_variables
from hookrt.importing.naming import HookNames, MovedSecrets
from hookrt.importing.notes import Imported, Kind, Notes, Untranslatable
from hookrt.importing.reading import read_root
from hookrt.importing.yaml_text import comment

_FOR_ALL = (
    (Kind.TO_DO, "the commands are run by a plugin: hookrt-command, which comes with hookrt's repository"),
    (Kind.TO_DO, "senders call /in/NAME on hookrt's port (4665) instead of /hooks/ID"),
    (
        Kind.DIFFERS,
        "signatures: X-Hub-Signature needs its `sha1=` or `sha256=`, a header has one signature, which may be in upper "
        "case; `Bearer` may be in any case. Answers: 401 to a wrong signature or token and to none "
        "(webhook: 500, or 200 with «Hook rules were not satisfied.»); 200 to all that is verified, be the rule met "
        "or not, once it is stored; 405 to all but POST",
    ),
    (
        Kind.DIFFERS,
        "bodies: of JSON and of urlencoded forms the values are known; of XML, multipart and others only the text, so "
        "that no condition on a value holds and none can be an argument. JSON is read also where the content type does "
        "not say so. A body that is not what its content type says is refused with 400, where webhook runs the command "
        "anyway; one above 1 MiB with 413 (`max_body`)",
    ),
    (
        Kind.DIFFERS,
        "values: null counts as missing, also on the way to a value (webhook: the text <nil>, or 500); of a.b the b in "
        "a is meant, not a key with a dot in its name; numbers become text by their value (1.50 is 1.5); a list or an "
        "object has no text, so that its rule does not hold and it cannot be an argument; of several values of one "
        "field there is a list; a missing value is an empty text, also as a variable",
    ),
    (
        Kind.DIFFERS,
        "commands: their variables are those of `env`, PATH, HOME and LANG, and not all of webhook's own (`inherit` "
        "names more); without a folder of their own they run in that of hooks.yaml; each is run at least once, after "
        "a crash of hookrt perhaps again; what ran, and how it ended, is kept: `hookrt deliveries list`",
    ),
)


_DEFAULTS = (
    "defaults:",
    "  timeout: 1h         # of a command; webhook sets no limit",
    "  retry: none         # each command has one attempt, as there",
)


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one hook: it was written, or left out."""

    name: str
    node: Node
    written: Written | None


def translate(path: Path) -> Imported:
    """What can be had of a file; raises ConfigError for one that is no YAML, HookrtError for one that is no list."""
    hooks = _read(path)
    notes, names, secrets = Notes(), HookNames(), MovedSecrets()
    for kind, text in _FOR_ALL:
        notes.add(kind, hooks, text)
    ids: set[str] = set()
    results: list[_Result] = []
    for node in hooks.items:
        name = names.take(_identity(node))
        results.append(_Result(name, node, _write(node, name, ids, notes, secrets)))
    text = "\n".join(_lines(path, results, notes)) + "\n"
    done = sum(result.written is not None for result in results)
    return Imported(text, tuple(notes.kept), secrets.values, done, len(results) - done)


def _read(path: Path) -> ListNode:
    root = read_root(path, mark_variables)
    if not isinstance(root, ListNode):
        raise HookrtError(f"{path} is no list of hooks, as adnanh/webhook has them")
    return root


def _identity(node: Node) -> str:
    try:
        return Keys.of(node, "a hook").text("id")
    except Untranslatable:
        return ""


def _write(node: Node, name: str, ids: set[str], notes: Notes, secrets: MovedSecrets) -> Written | None:
    try:
        definition = read_definition(Keys.of(node, "a hook"))
        if not definition.identity:
            raise Untranslatable(node, "it has no `id`")
        if definition.identity in ids:
            raise Untranslatable(node, f"the id {definition.identity!r} stands here twice; webhook refuses such files")
        ids.add(definition.identity)
        return HookWriter(name, definition, notes, secrets).write()
    except Untranslatable as error:
        notes.add(Kind.LEFT_OUT, error.node, error.text, name)
        return None


def _lines(path: Path, results: list[_Result], notes: Notes) -> list[str]:
    lines = [*comment(f"Imported from {path.name} of adnanh/webhook. For all hooks:"), *note_lines(notes, None, 0), ""]
    done = [(result, result.written) for result in results if result.written is not None]
    gone = [line for result in results if result.written is None for line in note_lines(notes, result.name, 0)]
    lines += [*gone, ""] if gone else []
    if not done:
        return [*lines, "hooks: {}"]
    lines += [*_DEFAULTS, "", "sources:"]
    for result, written in done:
        place = comment(f"{path.name}:{result.node.span.line}", 2)
        lines += [*place, *note_lines(notes, result.name, 2), *written.source, ""]
    lines.append("hooks:")
    for _, written in done:
        lines += [*written.hook, ""]
    return lines[:-1]
