"""Starts a worker; run as a script: `python -I -S boot.py [--checks] FD PARENT MEMORY DIRECTORY...`.

With `--checks` it compiles snippets and runs none. The directories hold RestrictedPython and msgspec. hookrt itself is
not imported: empty packages stand in for the parents of this one, since their real modules would pull in the service's
dependencies.
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
    checks = sys.argv[1] == "--checks"
    descriptor, parent, memory, *directories = sys.argv[2 if checks else 1 :]
    prepare_imports(directories)
    from hookrt.actions.python_snippet.worker.serve import serve, serve_checks  # noqa: PLC0415 - needs these paths

    (serve_checks if checks else serve)(int(descriptor), int(parent), int(memory))


if __name__ == "__main__":
    main()
