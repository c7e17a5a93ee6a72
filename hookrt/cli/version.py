"""The installed version of hookrt."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The version of the installed distribution, `unknown` when hookrt runs from a bare source tree."""
    try:
        return version("hookrt")
    except PackageNotFoundError:
        return "unknown"
