"""`hookrt version`: which hookrt, which Python, which of the libraries that matter."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import typer

from hookrt.cli.options import PlainOutputOption
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.version import installed_version

app = typer.Typer(add_completion=False)

_SHOWN = ("cel-expr-python", "httpx", "pydantic", "pyreqwest", "RestrictedPython", "uvicorn", "uvloop")


@app.command()
def show_version(output: PlainOutputOption = Format.TEXT) -> None:
    """Show the version of hookrt and of what it stands on.

    Examples:
      hookrt version
      hookrt version -o json
    """
    found = {"hookrt": installed_version(), "python": platform.python_version(), "platform": platform.platform()}
    found.update({name: _version_of(name) for name in _SHOWN})
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(found))
        return
    for name, number in found.items():
        screen.line((f"{name:18}", "bold"), number)


def _version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
