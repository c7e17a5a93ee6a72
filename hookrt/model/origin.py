"""The origin of a URL as somebody wrote it, where an expression does not hide it."""

from __future__ import annotations

import re

_ORIGIN = re.compile(r"(https?)://([^/?#\s]+)(?=[/?#]|\Z)", re.IGNORECASE)


def written_origin(url: str) -> str | None:
    """`https://host:port` of a URL text, lower case; None when it is no http(s) URL or `${{` stands in the origin.

    A user name before the host, white space in the host, or an expression right behind it
    (`https://example.com${{ x }}`) gives None too: none of them is a host that was written out.
    """
    found = _ORIGIN.match(url.strip())
    if not found:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    if "${{" in found[0] or "@" in host or "\\" in host or "{" in host:
        return None
    return f"{scheme}://{host}"
