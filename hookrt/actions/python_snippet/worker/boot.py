"""Starts a worker; run as a script: `python -I -S boot.py [--checks|--fresh] FD PARENT MEMORY DIRECTORY...`.

With `--checks` it compiles snippets and runs none; with `--fresh` each run has a process of its own. The directories
hold RestrictedPython and msgspec. hookrt itself is not imported: empty packages stand in for the parents of this one,
since their real modules would pull in the service's dependencies.
"""

from __future__ import annotations

import os.path
import sys
import types

PARENTS = ("hookrt", "hookrt.actions", "hookrt.actions.python_snippet")


def prepare_imports(directories: list[str]) -> None:
    """Make the worker package importable by its full name, and nothing else of hookrt."""
    sys.path.extend(directories)
    for name in PARENTS:
        package = types.ModuleType(name)
        package.__path__ = []
        sys.modules[name] = package
    sys.modules[PARENTS[-1]].__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]


def main() -> None:
    """Answer requests on the given descriptor until the service closes it."""
    kind = sys.argv[1] if sys.argv[1].startswith("--") else ""
    descriptor, parent, memory, *directories = sys.argv[2 if kind else 1 :]
    prepare_imports(directories)
    from hookrt.actions.python_snippet.worker.serve import (  # noqa: PLC0415 - needs these paths
        serve,
        serve_checks,
        serve_fresh,
    )

    {"": serve, "--checks": serve_checks, "--fresh": serve_fresh}[kind](int(descriptor), int(parent), int(memory))


if __name__ == "__main__":
    main()
