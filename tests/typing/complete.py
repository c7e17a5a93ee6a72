"""Fails where a type of the public API is unknown, or a guess that another type checker may make otherwise.

`basedpyright --verifytypes` looks at all of hookrt. What counts here is what the public modules export, with
attributes, parameters and results; not what a class of the engine room, which they lead to, calls its own.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PUBLIC = ("hookrt", "hookrt.plugin", "hookrt.testing", "hookrt.outbox", "hookrt.signing", "hookrt.web")
FEWEST = 500
"""Symbols that there are at least: fewer, and hookrt was not found."""

BIN = Path(sys.executable).parent


def exported() -> Iterator[str]:
    """The names that the public modules export, as these modules and as those that define them call them."""
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            found = getattr(module, name)
            if isinstance(found, ModuleType):
                continue
            yield f"{module.__name__}.{name}"
            if getattr(found, "__module__", "").startswith("hookrt"):
                yield f"{found.__module__}.{getattr(found, '__qualname__', name)}"


def symbols() -> list[dict[str, Any]]:
    """What basedpyright knows of each symbol; it finds hookrt by the interpreter of this virtual environment."""
    command = [BIN / "basedpyright", "--verifytypes", "hookrt", "--ignoreexternal", "--outputjson"]
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(
            command, cwd=nowhere, env={"PATH": f"{BIN}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
        )
    found: list[dict[str, Any]] = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    return found


def faults_of(symbol: dict[str, Any]) -> list[str]:
    """What is wrong with it itself."""
    said = [one["message"].replace("\n", " ") for one in symbol["diagnostics"] if one["severity"] == "error"]
    return [one for one in said if "partially unknown" not in one or "Unknown" in one]


def main() -> int:
    """Print what is not known, and end with 1 when something is."""
    public = tuple(sorted(set(exported())))
    inside = tuple(f"{name}." for name in public)
    looked_at = [one for one in symbols() if one["name"] in public or one["name"].startswith(inside)]
    faults = [f"{one['name']}: {fault}" for one in looked_at for fault in faults_of(one)]
    for fault in faults:
        print(fault)
    print(f"public API: {len(looked_at)} symbols, {len(faults)} without a complete type")
    return 1 if faults or len(looked_at) < FEWEST else 0


if __name__ == "__main__":
    sys.exit(main())
