"""What a Content-Type says."""

from __future__ import annotations

import re

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


def essence(content_type: str) -> str:
    """The media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether it declares JSON: `*/json`, `*/*+json`, or newline-delimited JSON."""
    media = essence(content_type)
    kind, slash, name = media.partition("/")
    return bool(kind and slash) and (name == "json" or name.endswith("+json") or media == "application/x-ndjson")


def is_utf8(content_type: str) -> bool:
    """Whether the charset, where one is named, is UTF-8 or its subset ASCII."""
    found = _CHARSET.search(content_type)
    return found is None or found[1].lower() in {"utf-8", "utf8", "us-ascii"}
