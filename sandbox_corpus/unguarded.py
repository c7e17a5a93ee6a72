"""What runs in a worker without the language policy, behind as many walls as are asked for.

A script made by `sandbox_corpus.workers` calls `answer`. Its imports wait for the paths that hookrt's own boot script
sets.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookrt.actions.python_snippet.worker.walls import Walls


def answer(boot_folder: str, layers: list[str] | None) -> None:
    """Serve like a worker of hookrt, but run whatever it is sent. Without `layers`, all walls stand.

    They always do where each run has a process of its own.
    """
    sys.path.insert(0, boot_folder)
    import boot  # type: ignore[import-not-found]

    fresh = sys.argv[1] == "--fresh"
    descriptor, parent, memory, *directories = sys.argv[2 if fresh else 1 :]
    boot.prepare_imports(directories)
    import builtins
    import ctypes  # noqa: F401 - what a bypass would import is loaded, since no file can be opened behind the walls
    import resource  # noqa: F401
    import stat  # noqa: F401

    from hookrt.actions.python_snippet.worker.execute import Executor
    from hookrt.actions.python_snippet.worker.serve import serve, serve_fresh
    from hookrt.actions.python_snippet.worker.walls import raise_walls

    def raise_some(_parent: int, memory: int) -> Walls:
        return _raise(layers or [], memory)

    executor = Executor(_compile, {"__builtins__": builtins})
    if fresh:
        serve_fresh(int(descriptor), int(parent), int(memory), executor)
    serve(int(descriptor), int(parent), int(memory), executor, raise_walls if layers is None else raise_some)


def _compile(source: str) -> Any:
    from hookrt.actions.python_snippet.worker.compiler import Compiled

    return Compiled(compile(source, "<snippet>", "exec", dont_inherit=True))


def _raise(layers: list[str], memory: int) -> Walls:
    import ctypes

    from hookrt.actions.python_snippet.worker import namespaces, seccomp, walls

    libc = ctypes.CDLL(None, use_errno=True)
    steps: dict[str, Callable[[], list[str]]] = {
        "user": walls.become_nobody,
        "namespaces": lambda: namespaces.leave(libc, seccomp.machine()),
        "capabilities": lambda: walls.drop_capabilities(libc),
        "rlimits": lambda: walls.set_limits(memory),
        "landlock": lambda: walls.refuse_privileges(libc) + walls.forbid_files(libc),
        "seccomp": lambda: walls.refuse_privileges(libc) + walls.filter_calls(libc),
    }
    return walls.Walls(tuple(name for layer, step in steps.items() if layer in layers for name in step()))
