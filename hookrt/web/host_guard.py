"""Who may use the API where the host's own application decides: its sessions, its users, its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hookrt.web.auth import Guard, Head, Scope, is_json_type
from hookrt.web.problem import ProblemDocument, Refusal

Allow = Callable[[Mapping[str, Any], str], bool]
"""The host's answer: it gets the request's ASGI scope and what is needed (`emit`, `read` or `admin`).

Only True opens, and no other true value: a coroutine that nobody awaited opens nothing."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class HostGuard(Guard):
    """Lets a request pass when the host says so.

    The host may know people by cookies, which a browser sends along with whatever page made it ask: so requests that
    change something must send JSON, and none may come from a page of another origin.
    """

    def __init__(self, allow: Allow) -> None:
        super().__init__()
        self._allow = allow

    def check(self, scope: Mapping[str, Any], head: Head, needed: Scope) -> None:
        """Return when the request may go on; raise Refusal when not."""
        _check_origin(head)
        if scope["method"] not in _READING and not is_json_type(head.get(b"content-type", b"")):
            detail = "requests that change something must send Content-Type: application/json"
            raise Refusal(ProblemDocument(415, "unsupported-media-type", detail))
        if self._allow(scope, needed.value) is not True:
            raise Refusal(
                ProblemDocument(403, "forbidden", f"the application does not allow this: it needs '{needed}'")
            )


class ClosedGuard(Guard):
    """Lets nobody pass: the host has not said who may. To trust what comes from this machine would open it to all the
    world behind a proxy that stands there and says nothing of itself, as nginx does by default.
    """

    def check(self, scope: Mapping[str, Any], head: Head, needed: Scope) -> None:
        """Raise Refusal."""
        detail = (
            "the application has not said who may use this: runtime_app(runtime, tokens={...}), allow=a function, or, "
            "where no proxy stands before it, allow='local'"
        )
        raise Refusal(ProblemDocument(403, "closed-without-token", detail))


def _check_origin(head: Head) -> None:
    origin = head.get(b"origin")
    if origin is None:
        return
    _, _, host = origin.lower().partition(b"://")
    if host != head.get(b"host", b"").lower():
        raise Refusal(ProblemDocument(403, "forbidden", "requests from pages of another origin are not answered"))
