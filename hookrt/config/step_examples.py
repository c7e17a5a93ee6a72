"""What a test says of one step: the stub that answers it, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hookrt.config.example_values import read_choice, read_list, read_text, read_value, written_at
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, describe
from hookrt.config.problem_log import ProblemLog
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.model.hook_test import NO_PROBLEM, Expected, StandIn, StepExample, StubAnswer

STEP_STATUSES = ("succeeded", "skipped", "failed", "not-run")
"""What can become of a step."""

OUTCOMES = ("done", "retry", "reject")
"""What the last attempt of a step can end with."""

EXAMPLE_KEYS = ("stub", "status", "outcome", "reason", "attempts", "output", "request", "settings", "emits")
"""The keys of a step in a test."""

ANSWER_KEYS = ("status", "headers", "body", "error")
"""The keys of a stub that answers as an endpoint does."""

REQUEST_KEYS = ("method", "url", "path", "headers", "body")
"""What can be said of a request."""

FAULTS = ("dns", "refused", "reset", "tls", "timeout", "too-large", "protocol", "token")
"""Why no answer may come."""

_ELSEWHERE = {
    "mock": "stub",
    "answer": "stub",
    "response": "stub",
    "respond": "stub",
    "expect": "output",
    "result": "output",
    "requests": "request",
    "error": "reason",
    "emitted": "emits",
}


def read_step_example(entry: Entry, log: ProblemLog) -> StepExample | None:
    """What a test says of one step; None, and it is reported, where that is no mapping."""
    node = as_mapping(entry.value, f"the step {shorten(entry.key.text)} of a test", log)
    if node is None:
        return None
    fields = Fields(node, "a step of a test", log)
    fields.check_keys(Keys(EXAMPLE_KEYS, _ELSEWHERE))
    stand_in: StandIn | None = None
    answers: tuple[StubAnswer, ...] = (NO_PROBLEM,)
    stub = fields.get("stub")
    if isinstance(stub, MapNode) and "output" in stub.entries:
        stand_in = _read_stand_in(stub, log)
    elif stub is not None:
        if isinstance(stub, ListNode) and not stub.items:
            log.error(stub, "a list of stubs needs one at least", "such as `stub: [503, 200]`")
        answers = tuple(_read_answer(one, log) for one in _each(stub)) or answers
    return StepExample(written_at(entry.key.span), answers, stand_in, _read_expected(fields))


def _each(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else (node,)


def _read_stand_in(node: MapNode, log: ProblemLog) -> StandIn:
    Fields(node, "a stub with an `output`", log).check_keys(Keys(("output",), {}))
    return StandIn(read_value(node.entries["output"].value, log).value)


def _read_answer(node: Node, log: ProblemLog) -> StubAnswer:
    """An answer; a bare number is its status."""
    if isinstance(node, TextNode):
        return StubAnswer(_status_of(node, log))
    section = as_mapping(node, "a stub", log)
    if section is None:
        return NO_PROBLEM
    fields = Fields(section, "a stub", log)
    fields.check_keys(Keys(ANSWER_KEYS, {"code": "status", "json": "body", "fault": "error"}))
    error = read_choice(fields, "error", FAULTS)
    if error is not None:
        _refuse_beside_error(fields)
        return StubAnswer(error=str(error.value))
    status, body = fields.get("status"), fields.get("body")
    kind, content = _content_of(body, log)
    headers = {**({"content-type": kind} if kind else {}), **_headers_of(fields)}
    return StubAnswer(200 if status is None else _status_of(status, log), headers, content)


def _refuse_beside_error(fields: Fields) -> None:
    for key in ANSWER_KEYS:
        if key != "error" and key in fields.node.entries:
            at = fields.node.entries[key].key
            fields.log.error(at, f"`{key}` says nothing where no answer comes", "leave it out, or `error`")


def _status_of(node: Node, log: ProblemLog) -> int:
    found = read_value(node, log).value
    if isinstance(found, int) and not isinstance(found, bool) and 100 <= found <= 599:
        return found
    said = shorten(node.text) if isinstance(node, TextNode) else describe(node)
    log.error(node, f"a stub's status is a number from 100 to 599, this is {said}", "such as `stub: 503`")
    return 200


def _content_of(body: Node | None, log: ProblemLog) -> tuple[str | None, bytes]:
    """The content type and the bytes: a text goes as it is, all else as JSON; without a body it is `{}`."""
    if body is None:
        return "application/json", b"{}"
    value = read_value(body, log).value
    if isinstance(value, str):
        return "text/plain; charset=utf-8", value.encode("utf-8", "replace")
    return "application/json", msgspec.json.encode(value)


def _headers_of(fields: Fields) -> Mapping[str, str]:
    node = fields.get("headers")
    section = as_mapping(node, "`headers`", fields.log) if node is not None else None
    found = {}
    for name, entry in section.entries.items() if section is not None else ():
        if isinstance(entry.value, TextNode):
            found[name.lower()] = entry.value.text
        else:
            fields.log.error(entry.value, f"a header is text, this is {describe(entry.value)}")
    return found


def _read_expected(fields: Fields) -> dict[str, Expected]:
    found = {
        "status": read_choice(fields, "status", STEP_STATUSES),
        "outcome": read_choice(fields, "outcome", OUTCOMES),
        "reason": read_text(fields, "reason"),
        "attempts": _read_count(fields),
        "emits": emits[1] if (emits := read_list(fields, "emits")) else None,
    }
    for key in ("output", "settings", "request"):
        entry = fields.node.entries.get(key)
        if entry is not None:
            found[key] = read_value(entry.value, fields.log)
    if request := fields.get("request"):
        for one in _each(request):
            _check_request(one, fields.log)
    return {key: expected for key, expected in found.items() if expected is not None}


def _read_count(fields: Fields) -> Expected | None:
    node = fields.get("attempts")
    if node is None:
        return None
    found = read_value(node, fields.log)
    if not isinstance(found.value, int) or isinstance(found.value, bool) or found.value < 0:
        fields.log.error(node, "`attempts` must be a number")
        return None
    return found


def _check_request(node: Node, log: ProblemLog) -> None:
    section = as_mapping(node, "`request`", log)
    if section is None:
        return
    elsewhere = {"json": "body", "data": "body", "uri": "url", "header": "headers"}
    Fields(section, "`request`", log).check_keys(Keys(REQUEST_KEYS, elsewhere))
    for name in ("method", "url", "path"):
        value = section.get(name)
        if value is not None and not isinstance(value, TextNode):
            log.error(value, f"`{name}` must be text, this is {describe(value)}", did_you_mean(name, REQUEST_KEYS))
    headers = section.get("headers")
    if headers is not None:
        as_mapping(headers, "`headers`", log)
