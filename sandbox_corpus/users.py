"""Running the same once more as a user without privileges."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NOBODY = 65534
_PROBE = "import sandbox_corpus.__main__, RestrictedPython, msgspec"


def find_interpreter() -> str | None:
    """A Python of this version that an unprivileged user can start, with everything that is needed; None without."""
    for path in _interpreters():
        try:
            if start_as_nobody([path, "-c", _PROBE], "", quiet=True) == 0:
                return path
        except OSError:
            continue
    return None


def run_as_nobody(interpreter: str, arguments: list[str], text: str) -> int:
    """Run this tool as the user nobody, with `text` as its standard input; its exit code."""
    return start_as_nobody([interpreter, "-m", "sandbox_corpus", *arguments], text)


def _interpreters() -> Iterator[str]:
    yield sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"  # compiled packages fit no other
    yield f"/usr/bin/{version}"
    yield f"/usr/local/bin/{version}"
    found = shutil.which(version)
    if found:
        yield found


def start_as_nobody(command: list[str], text: str = "", quiet: bool = False) -> int:
    """Run a command as the user nobody, with this program and its libraries importable; its exit code."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        command,
        input=text,
        text=True,
        encoding="utf-8",
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": os.pathsep.join(_folders())},
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=subprocess.DEVNULL if quiet else None,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        check=False,
    )
    return done.returncode


def _folders() -> Iterator[str]:
    """Where this program and its libraries lie."""
    yield str(Path(__file__).resolve().parent.parent)
    found = importlib.util.find_spec("msgspec")
    if found is not None and found.origin is not None:
        yield str(Path(found.origin).resolve().parent.parent)
