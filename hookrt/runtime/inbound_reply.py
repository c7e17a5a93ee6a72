"""What senders are answered."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hookrt.model.problem_document import CONTENT_TYPE, ProblemDocument
from hookrt.plugin.inbound import Reply
from hookrt.plugin.inbound_settings import Respond

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


def accepted_reply(respond: Respond | None, ids: Sequence[str]) -> Reply:
    """The answer to a request whose events are stored, be they new or not: the entry's own, or 200 with the ids."""
    if respond is not None:
        return _own_reply(respond)
    body = {"id": ids[0]} if len(ids) == 1 else {"ids": list(ids)}
    return Reply(200, {"content-type": _JSON}, msgspec.json.encode(body))


def problem_reply(problem: ProblemDocument) -> Reply:
    """The answer that is a problem document."""
    headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store", **problem.headers}
    return Reply(problem.status, headers, problem.encode())


def _own_reply(respond: Respond) -> Reply:
    headers = {name.lower(): value for name, value in respond.headers.items()}
    if respond.body is None:
        return Reply(respond.status, headers)
    text = isinstance(respond.body, str)
    headers.setdefault("content-type", _TEXT if text else _JSON)
    body = respond.body.encode("utf-8", "replace") if text else msgspec.json.encode(respond.body)
    return Reply(respond.status, headers, body)
