"""An answer that has been read to its end."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
from pyreqwest.http import HeaderMap

from hookrt.errors import EventError
from hookrt.model.json_depth import check_depth

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_KNOWN_CHARSET = re.compile(  # a charset is the endpoint's word, and some of Python's codecs are slow or no charsets
    r"utf-?8|utf-?16(?:[bl]e)?|us-ascii|ascii|latin-?1|iso-?8859-\d+|windows-125\d|cp125\d|koi8-[ru]|shift_jis|"
    r"euc-(?:jp|kr)|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)
_decode = msgspec.json.Decoder().decode


class Headers(dict[str, str]):
    """Headers by name in lower case, found without regard to case; a repeated one is joined by `, `."""

    __slots__ = ()

    @classmethod
    def read(cls, raw: HeaderMap) -> Headers:
        """The headers of an answer."""
        try:
            found = raw.dict_multi_value()
        except ValueError:
            return cls((name, _readable(raw, name)) for name in raw.keys())  # noqa: SIM118 - no mapping of Python's
        if len(found) == len(raw):  # nearly always: none is repeated
            return cls(cast("dict[str, str]", found))
        return cls((name, value if isinstance(value, str) else ", ".join(value)) for name, value in found.items())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default where there is no such header."""
        return super().get(name.lower(), default)

    def __repr__(self) -> str:
        return f"Headers({list(self)})"  # values may be secrets


class Answer:
    """Status, headers and decoded body of an answer; keeps the promises of `hookrt.plugin.Response`."""

    __slots__ = ("_headers", "_raw", "content", "status_code")

    def __init__(self, status_code: int, raw: HeaderMap, content: bytes = b"") -> None:
        self.status_code = status_code
        self.content = content
        self._raw = raw
        self._headers: Headers | None = None

    @property
    def headers(self) -> Headers:
        """The headers, names in lower case; read when first asked for."""
        if self._headers is None:
            self._headers = Headers.read(self._raw)
        return self._headers

    @property
    def header_pairs(self) -> list[tuple[str, str]]:
        """The headers one by one, also repeated ones."""
        return read_pairs(self._raw)

    @property
    def text(self) -> str:
        """The body as text, by its declared charset or UTF-8; what does not fit shows as U+FFFD."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        charset = found[1] if found and _KNOWN_CHARSET.fullmatch(found[1]) else "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none, or nested more than 64 levels deep."""
        try:
            check_depth(self.content)
            return _decode(self.content)
        except (msgspec.DecodeError, ValueError, EventError, RecursionError) as error:
            raise ValueError(f"the answer's body is not JSON: {error}") from None

    def __repr__(self) -> str:
        return f"<Answer {self.status_code}, {len(self.content)} bytes>"


def read_pairs(raw: HeaderMap) -> list[tuple[str, str]]:
    """Names in lower case with their values; a value that is no UTF-8 shows as U+FFFD."""
    try:
        return list(raw.items())
    except ValueError:
        return [(name, _readable(raw, name)) for name in dict.fromkeys(raw.keys())]


def _readable(raw: HeaderMap, name: str) -> str:
    try:
        return ", ".join(raw.getall(name))
    except ValueError:
        return "\ufffd"
