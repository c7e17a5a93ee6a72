"""Answers the calls of one run: does what the step grants, with what the attempt was handed, and nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from hookrt.actions.python_snippet.calls import CallFailed, CallRefused
from hookrt.actions.python_snippet.grants import Grants, NotGranted
from hookrt.plugin import (
    ActionCall,
    Event,
    EventError,
    HttpError,
    Outcome,
    Response,
    SecretMissing,
    State,
    StateError,
    check_event,
    parse_duration,
)

MAX_EVENTS = 1000
"""Events of one run."""

MAX_EMITTED = 4 * 1024 * 1024
"""Bytes of the data of all of them together, as JSON."""

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_encode = msgspec.json.Encoder().encode

ArgumentsT = TypeVar("ArgumentsT", bound=msgspec.Struct)


class HttpRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of `http`: the body is `text`, or bytes in `base64`; `timeout` is in seconds."""

    method: str
    url: str
    headers: dict[str, str] = {}
    text: str | None = None
    base64: str | None = None
    timeout: float | None = None


class SecretWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of `secret`."""

    name: str


class Stored(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of the calls that begin with `state.`; each uses some of them."""

    key: str
    value: Any = None
    expected: Any = None
    amount: int | float = 0
    ttl: float | str | None = None


class Emitted(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of `emit`."""

    type: str
    data: Any = None
    subject: str | None = None
    id: str | None = None


class SnippetBroker:
    """The broker of one run. The worker is not trusted: every argument is read strictly, and judged by the grants."""

    def __init__(self, call: ActionCall[Any], grants: Grants) -> None:
        self._call = call
        self._grants = grants
        self.overload: Outcome | None = None
        """What the last answer means, if it says that its endpoint has too much to do."""
        self._events = 0
        self._bytes = 0
        self._doors: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "http": self._http,
            "secret": self._secret,
            "state.get": self._state_get,
            "state.set": self._state_set,
            "state.compare_and_set": self._state_compare_and_set,
            "state.add": self._state_add,
            "emit": self._emit,
        }

    async def answer(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """What comes of a call, as a JSON value."""
        door = self._doors.get(name)
        if door is None:
            raise CallFailed("CallFailed", "there is no such call")
        try:
            return await door(arguments)
        except NotGranted as refusal:
            raise CallRefused("denied", str(refusal)) from None
        except HttpError as error:
            raise CallFailed("HttpError", f"{error.reason}: {error.message}", {"reason": error.reason}) from None
        except StateError as error:
            raise CallFailed("StateError", error.message, {"reason": error.reason}) from None
        except SecretMissing as error:
            raise CallFailed("SecretMissing", str(error), {"reason": "missing"}) from None
        except EventError as error:
            raise CallFailed("EmitError", str(error), {"reason": "bad-event"}) from None

    # http

    async def _http(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        wanted = _read(arguments, HttpRequest, "HttpError")
        try:
            address = self._grants.address(wanted.url)
        except ValueError as error:
            raise HttpError("bad-url", str(error)) from None
        if wanted.method not in _METHODS:
            raise HttpError("bad-request", f"the method is one of {', '.join(sorted(_METHODS))}")
        began = time.perf_counter()
        said: int | str = "none"
        self.overload = None  # of an earlier answer, perhaps another endpoint's
        try:
            response = await self._call.http.send(
                wanted.method,
                address.text,
                headers=wanted.headers,
                content=_body(wanted),
                timeout=None if wanted.timeout is None else _seconds(wanted.timeout),
            )
            said = response.status_code
            meant = Outcome.from_response(response, now=self._call.started)
            self.overload = meant if meant.slow_down is not None else None
        except HttpError as error:
            said = error.reason
            raise
        finally:
            took = round((time.perf_counter() - began) * 1000)
            self._call.log.debug("http", method=wanted.method, url=address.shown, status=said, ms=took)
        return {"url": address.text, **_shown(response)}

    # secrets

    async def _secret(self, arguments: Mapping[str, Any]) -> str:
        name = _read(arguments, SecretWanted, "SecretMissing").name
        self._grants.check_secret(name)
        return self._call.secrets.require(name)

    # state

    def _state(self, arguments: Mapping[str, Any]) -> tuple[State, Stored]:
        self._grants.check_state()
        return self._call.state, _read(arguments, Stored, "StateError")

    async def _state_get(self, arguments: Mapping[str, Any]) -> Any:
        state, wanted = self._state(arguments)
        return await state.get(wanted.key)

    async def _state_set(self, arguments: Mapping[str, Any]) -> None:
        state, wanted = self._state(arguments)
        await state.set(wanted.key, wanted.value, _lifetime(wanted.ttl))

    async def _state_compare_and_set(self, arguments: Mapping[str, Any]) -> bool:
        state, wanted = self._state(arguments)
        return await state.compare_and_set(wanted.key, wanted.expected, wanted.value, _lifetime(wanted.ttl))

    async def _state_add(self, arguments: Mapping[str, Any]) -> int | float:
        state, wanted = self._state(arguments)
        return await state.add(wanted.key, wanted.amount, _lifetime(wanted.ttl))

    # emit

    async def _emit(self, arguments: Mapping[str, Any]) -> None:
        wanted = _read(arguments, Emitted, "EmitError")
        if wanted.type.partition(".")[0] == "hookrt":
            raise EventError(f"the type {wanted.type!r} is reserved: only hookrt itself emits `hookrt.` events")
        self._grants.check_type(wanted.type)
        self._events += 1
        self._bytes += len(_encode(wanted.data))
        if self._events > MAX_EVENTS:
            raise EventError(f"a run emits at most {MAX_EVENTS:,} events")
        if self._bytes > MAX_EMITTED:
            raise EventError(f"the events of a run have at most {MAX_EMITTED // 2**20} MiB of data together")
        check_event(
            Event(wanted.id or "to-be-made", wanted.type, "emit", self._call.started, wanted.subject),
        )
        self._call.emit(wanted.type, wanted.data, subject=wanted.subject, id=wanted.id)


def _read(arguments: Mapping[str, Any], kind: type[ArgumentsT], error: str) -> ArgumentsT:
    try:
        return msgspec.convert(arguments, kind, strict=True)
    except msgspec.ValidationError as problem:
        raise CallFailed(error, f"an argument is not as it must be: {problem}") from None


def _body(wanted: HttpRequest) -> bytes | str | None:
    if wanted.base64 is None:
        return wanted.text
    try:
        return base64.b64decode(wanted.base64, validate=True)
    except ValueError:
        raise HttpError("bad-request", "the body is no base64") from None


def _shown(response: Response) -> dict[str, Any]:
    """An answer as the worker gets it: text where the body is UTF-8, and else the bytes too."""
    shown: dict[str, Any] = {"status": response.status_code, "headers": dict(response.headers), "text": response.text}
    content = response.content
    if shown["text"].encode("utf-8", "surrogatepass") != content:
        shown["base64"] = base64.b64encode(content).decode("ascii")
    return shown


def _lifetime(ttl: float | str | None) -> timedelta | None:
    if ttl is None:
        return None
    try:
        return parse_duration(ttl) if isinstance(ttl, str) else _seconds(ttl)
    except ValueError as error:
        raise StateError("bad-value", str(error)) from None


def _seconds(value: float) -> timedelta:
    """A time that was given in seconds, ten years at most."""
    return timedelta(seconds=min(max(value, 0.0), 315_360_000.0))
