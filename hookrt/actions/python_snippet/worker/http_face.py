"""`ctx.http`: requests and their answers as a snippet sees them. The service sends; here is only the shape."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from hookrt.actions.python_snippet.worker.asking import Ask
from hookrt.actions.python_snippet.worker.stops import ADD_TO, CapabilityError, DeniedAttributeError, DeniedError
from hookrt.actions.python_snippet.worker.values import exact_text, plain, yaml_word

_ACCEPTED = {"allow_redirects": False, "follow_redirects": False, "stream": False, "verify": True}
"""Options of other clients that mean nothing here, with the one value that they may have."""


class HttpError(CapabilityError):
    """A request got no usable answer, or one that `raise_for_status` does not like; `reason` says why in a word.

    `reason` is `timeout`, `refused`, `breaker-open`, ... or `status`; then there is the `response`.
    """

    @property
    def response(self) -> Response | None:
        """The answer that was not liked."""
        found: Response | None = self.fields.get("response")
        return found

    @property
    def status_code(self) -> int | None:
        """Its status."""
        return self.response.status_code if self.response is not None else None


class Headers:
    """The headers of an answer, found without regard to case."""

    __slots__ = ("_found",)

    def __init__(self, found: dict[str, str]) -> None:
        self._found = {name.lower(): value for name, value in found.items()}

    def __getitem__(self, name: str) -> str:
        return self._found[str(name).lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return repr(self._found)

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        return self._found.get(str(name).lower(), default)

    def keys(self) -> list[str]:
        """The names, in lower case."""
        return list(self._found)

    def values(self) -> list[str]:
        """The values."""
        return list(self._found.values())

    def items(self) -> list[tuple[str, str]]:
        """Names and values."""
        return list(self._found.items())


class Response:
    """An answer, read to its end."""

    __slots__ = ("_answer", "_headers")

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        self._headers = Headers(answer["headers"])

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        status: int = self._answer["status"]
        return status

    status = status_code

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_error(self) -> bool:
        """Whether the status is 400 or above."""
        return not self.ok

    @property
    def url(self) -> str:
        """The URL that was asked."""
        url: str = self._answer["url"]
        return url

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._headers

    @property
    def text(self) -> str:
        """The body as text, by its declared charset or UTF-8."""
        text: str = self._answer["text"]
        return text

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        encoded = self._answer.get("base64")
        return self.text.encode() if encoded is None else base64.b64decode(encoded)

    body = content

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        try:
            return json.loads(self.text)
        except RecursionError:
            raise ValueError("the answer's body is nested too deeply") from None

    def raise_for_status(self) -> Response:
        """Raise `ctx.http.Error` for a status of 400 or above; else give the response."""
        if self.ok:
            return self
        message = f"{self.url.partition('?')[0]} answered {self.status_code}"
        raise HttpError(message, {"reason": "status", "response": self})

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"


class Http:
    """`ctx.http`. Without `ask` nothing is granted, and every use says what to add."""

    __slots__ = ("_ask",)

    _ask: Ask | None
    Error = HttpError

    def __init__(self, ask: Ask | None) -> None:
        object.__setattr__(self, "_ask", ask)

    def __setattr__(self, name: str, value: Any) -> None:
        """Nothing here can be changed."""
        raise DeniedAttributeError("ctx.http cannot be changed")

    def __repr__(self) -> str:
        return "<ctx.http>"

    def get(self, url: str, params: Any = None, **options: Any) -> Response:
        """Send a GET request."""
        return self.request("GET", url, params=params, **options)

    def head(self, url: str, **options: Any) -> Response:
        """Send a HEAD request."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> Response:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, data: Any = None, json: Any = None, **options: Any) -> Response:
        """Send a POST request."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, **options: Any) -> Response:
        """Send a PUT request."""
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Any = None, **options: Any) -> Response:
        """Send a PATCH request."""
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url: str, **options: Any) -> Response:
        """Send a DELETE request."""
        return self.request("DELETE", url, **options)

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Send a request and give the answer, whatever its status; `ctx.http.Error` where there is none.

        `params`, `headers`, `json`, `data`, `content`, `auth` (user and password) and `timeout` (seconds) mean what
        they mean in requests and httpx. Redirects are not followed.
        """
        address = exact_text(url, "the URL")
        if self._ask is None:
            raise DeniedError(f'ctx.http is not granted: add "allow: {{http: [{_origin(address)}]}}" {ADD_TO}')
        wanted = {"method": exact_text(method, "the method").upper(), **_read_options(options)}
        wanted["url"] = _with_query(address, options.get("params"))
        return Response(self._ask("http", wanted))


def _read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Headers, body and timeout as the service wants them; TypeError or ValueError for what cannot be."""
    for name in options:
        if name in _ACCEPTED:
            if options[name] not in (None, _ACCEPTED[name]):
                raise ValueError(f"ctx.http: {name}={options[name]!r} cannot be had here"[:200])
        elif name not in {"params", "headers", "json", "data", "content", "auth", "timeout"}:
            raise TypeError(f"ctx.http: unknown argument {name!r}")
    headers = _read_headers(options.get("headers"))
    body, kind = _read_body(options)
    names = {name.lower() for name in headers}
    if kind and "content-type" not in names:
        headers["content-type"] = kind
    if options.get("auth") is not None and "authorization" not in names:
        headers["authorization"] = _basic(options["auth"])
    return {"headers": headers, **body, "timeout": _seconds(options.get("timeout"))}


def _read_headers(given: Any) -> dict[str, str]:
    pairs = dict(given).items() if given else ()
    return {exact_text(name, "a header's name"): _as_text(value) for name, value in pairs if value is not None}


def _read_body(options: Mapping[str, Any]) -> tuple[dict[str, str], str | None]:
    """The body as `text` or `base64`, and the content type that goes with it."""
    given = {name: options[name] for name in ("json", "data", "content") if options.get(name) is not None}
    if len(given) > 1:
        raise TypeError(f"ctx.http: one of {', '.join(given)} is the body, not several")
    if "json" in given:
        value = plain(given["json"], "json")
        return {"text": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}, "application/json"
    body = given.get("data", given.get("content"))
    if isinstance(body, bytes | bytearray):
        return {"base64": base64.b64encode(body).decode()}, None
    if isinstance(body, str):
        return {"text": exact_text(body, "the body")}, None
    if body is None:
        return {}, None
    if "content" in given:
        raise TypeError("ctx.http: content is a text or bytes")
    return {"text": _form(body)}, "application/x-www-form-urlencoded"


def _form(fields: Any) -> str:
    """Fields of a form or a query, from a mapping or pairs; a list gives its name several times, None nothing."""
    pairs = list(fields.items() if hasattr(fields, "items") else fields)
    written = []
    for name, value in pairs:
        several = value if isinstance(value, list | tuple) else [value]
        written += [(_as_text(name), _as_text(each)) for each in several if each is not None]
    return urlencode(written)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return exact_text(value, "a header, or a field of a form or query,")


def _with_query(url: str, params: Any) -> str:
    if not params:
        return url
    query = exact_text(params, "params") if isinstance(params, str) else _form(params)
    address, mark, fragment = url.partition("#")
    joined = f"{address}{'&' if '?' in address else '?'}{query}" if query else address
    return joined + mark + fragment


def _basic(auth: Any) -> str:
    user, password = auth
    pair = f"{exact_text(user, 'the user')}:{exact_text(password, 'the password')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _seconds(timeout: Any) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, tuple) and timeout:  # connect and read, as in requests
        return max((_seconds(each) or 0.0) for each in timeout) or None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    if not 0 < seconds < float("inf"):
        raise ValueError("ctx.http: the timeout is more than 0 seconds")
    return seconds


def _origin(url: str) -> str:
    """Scheme and host as they are written, for the line of YAML to add."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "https://api.example.com"
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in {"http", "https"} or not host:
        return "https://api.example.com"
    return yaml_word(f"{parts.scheme}://{host}")
