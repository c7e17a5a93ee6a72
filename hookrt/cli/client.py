"""The client of a running service: what commands ask of it, and its errors as sentences."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from hookrt.errors import HookrtError
from hookrt.model.delivery import Status

DEFAULT_URL = "http://127.0.0.1:4665"
"""Where `hookrt run` listens unless told otherwise."""

_TIMEOUT_S = 30.0
_PAGE = 500
_HOW_TO_OPEN = "set HOOKRT_TOKEN to one of the tokens in the service's `service: tokens:`"


class ServiceUnavailable(HookrtError):  # noqa: N818 - it is the service, not the program, that is not there
    """The service cannot be asked; the text says what to do."""


class NobodyAnswers(ServiceUnavailable):
    """Nothing listens at the address; `what` says so, the text also how to start a service."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"{what}: {way_out}")
        self.what = what


class ServiceRefused(HookrtError):  # noqa: N818
    """The service answered, and said no; `status` is the HTTP status, `problem` the whole answer where it is one."""

    def __init__(self, message: str, status: int, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem or {}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service is and what opens it; `given` where somebody named it, so that no other place will do."""

    url: str = DEFAULT_URL
    token: str | None = field(default=None, repr=False)
    given: bool = field(default=False, compare=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Address:
        """What HOOKRT_URL and HOOKRT_TOKEN say; raises HookrtError for what is no http(s) URL or no token."""
        given = env.get("HOOKRT_URL", "").strip().rstrip("/")
        url = given or DEFAULT_URL
        if not _is_web_address(url):
            raise HookrtError(f"HOOKRT_URL is {url!r}: it must be like {DEFAULT_URL}")
        token = env.get("HOOKRT_TOKEN", "").strip()
        if not (token.isascii() and (token.isprintable() and " " not in token)):
            raise HookrtError("HOOKRT_TOKEN is no token: one is a word of visible ASCII characters")
        return cls(url, token or None, bool(given))

    @property
    def local(self) -> bool:
        """Whether it is this machine, so that no proxy stands between."""
        host = httpx.URL(self.url).host
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


class Client:
    """Asks one service. Every error is a ServiceUnavailable or a ServiceRefused with a text for people.

    `transport` takes the requests where they do not go over the network. `idle` says that what answers only shows a
    store from which no process delivers.
    """

    def __init__(
        self, address: Address | None = None, transport: httpx.BaseTransport | None = None, *, idle: bool = False
    ) -> None:
        self.address = address or Address.from_env()
        self.idle = idle
        headers = {"accept": "application/json", "user-agent": "hookrt-cli"}
        if self.address.token:
            headers["authorization"] = f"Bearer {self.address.token}"
        self._http = httpx.Client(
            base_url=self.address.url,
            headers=headers,
            timeout=_TIMEOUT_S,
            trust_env=not self.address.local,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET; a query value of None is left out."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def get_all(self, path: str) -> list[Any]:
        """All items of a list, page by page."""
        page = self.get(path, limit=_PAGE)
        items = list(page["items"])
        while page.get("next"):
            page = self.get(path, limit=_PAGE, cursor=page["next"])
            items += page["items"]
        return items

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """The JSON of a POST of these values; None for an empty answer; a query value of None is left out."""
        params = {name: value for name, value in query.items() if value is not None}
        return self._ask("POST", path, params=params, content=json.dumps(body or {}).encode())

    def post_text(self, path: str, text: bytes, **query: Any) -> Any:
        """The JSON of a POST of this JSON text, byte for byte; a query value of None is left out."""
        params = {name: value for name, value in query.items() if value is not None}
        return self._ask("POST", path, params=params, content=text)

    def post_and_wait(self, path: str, text: bytes) -> Any:
        """The same where the answer comes when some work is done, however long that takes."""
        return self._ask("POST", path, content=text, timeout=httpx.Timeout(_TIMEOUT_S, read=None))

    def _ask(self, method: str, path: str, **parts: Any) -> Any:
        try:
            response = self._http.request(method, path, headers={"content-type": "application/json"}, **parts)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._silence(error) from None
        if response.is_success:
            return _read_json(response, self.address.url)
        raise ServiceRefused(_why_refused(response, self.address), response.status_code, _problem_of(response))

    def _silence(self, error: Exception) -> ServiceUnavailable:
        url = self.address.url
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            start = "start it with `hookrt run`" if self.address.local else "check HOOKRT_URL"
            return NobodyAnswers(f"no hookrt service answers at {url}", f"{start}, or set HOOKRT_URL to where it runs")
        if isinstance(error, httpx.TimeoutException):
            return ServiceUnavailable(f"the service at {url} did not answer within {_TIMEOUT_S:.0f} seconds")
        return ServiceUnavailable(f"the service at {url} could not be asked: {str(error) or type(error).__name__}")


def _is_web_address(url: str) -> bool:
    try:
        parsed, port = urlsplit(url), urlsplit(url).port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.hostname) and port != 0


def _read_json(response: httpx.Response, url: str) -> Any:
    if not response.content:
        return None
    try:
        return response.json(object_hook=lambda found: _Answer(found, url))
    except (ValueError, RecursionError):
        raise _stranger(url, "it sent no JSON") from None


class _Answer(dict[str, Any]):
    """An object of an answer; asked for what is not in it, it says that no hookrt service answered."""

    def __init__(self, found: Mapping[str, Any], url: str) -> None:
        super().__init__(found)
        self._url = url

    def __missing__(self, key: str) -> Any:
        raise _stranger(self._url, f"its answer has no {key!r}")


def _stranger(url: str, why: str) -> ServiceRefused:
    return ServiceRefused(f"what answers at {url} is no hookrt service, or another version of it: {why}", 200)


def _why_refused(response: httpx.Response, address: Address) -> str:
    said = _problem_text(response)
    if response.status_code == 401 or (response.status_code == 403 and not address.token):
        return f"the service at {address.url} wants a token ({said}): {_HOW_TO_OPEN}"
    if response.is_redirect:
        return f"{address.url} answered with a redirect to {response.headers.get('location')}: set HOOKRT_URL to that"
    return said


def _problem_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        problem = None
    return problem if isinstance(problem, dict) else {}


def _problem_text(response: httpx.Response) -> str:
    problem = _problem_of(response)
    for key in ("detail", "title"):
        if isinstance(problem.get(key), str) and problem[key]:
            return str(problem[key])
    return f"the service answered {response.status_code} {response.reason_phrase}".rstrip()


def segment(text: str) -> str:
    """A name or an id as a part of a path; raises HookrtError for an empty one."""
    if not text:
        raise HookrtError("the name or id is empty")
    return quote(text, safe="", errors="replace")


def is_final(delivery: Mapping[str, Any]) -> bool:
    """Whether nothing more will happen to a delivery, as the service described it."""
    try:
        return Status(delivery["status"]).final
    except (KeyError, ValueError):
        return False


def poll_pause(turn: int) -> timedelta:
    """How long to wait before asking again: quick at first, then every second."""
    return timedelta(seconds=min(0.05 * 1.5**turn, 1.0))
