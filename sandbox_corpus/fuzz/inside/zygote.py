"""Forks workers quickly: run as a script, `python -I -S zygote.py FD BOOT_FOLDER ROOT DIRECTORY...`.

For each message on FD, which brings a socket along, one worker is forked that serves on that socket behind all
walls. What it imports waits for the paths that hookrt's own boot script sets.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any


def main() -> None:
    """Answer each message with the process id of a new worker, until the other end is closed."""
    descriptor, boot_folder, root, *directories = sys.argv[1:]
    sys.path.insert(0, boot_folder)
    import boot  # type: ignore[import-not-found]

    boot.prepare_imports([*directories, root])
    import ctypes  # noqa: F401 - what a bypass would import

    from hookrt.actions.python_snippet.worker import serve  # noqa: F401 - loaded once, for all
    from hookrt.actions.python_snippet.worker.preload import load_everything
    from sandbox_corpus.fuzz.inside import holes, watch  # noqa: F401

    load_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=int(descriptor))
    while True:
        text, sockets, _, _ = socket.recv_fds(control, 4096, 1)
        if not text:
            return
        wanted = json.loads(text)
        worker = os.fork()
        if worker == 0:
            control.close()
            _work(sockets[0], wanted)
        os.close(sockets[0])
        control.send(str(worker).encode())


def _work(descriptor: int, wanted: dict[str, Any]) -> None:
    """Be a worker, and end as one."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        from hookrt.actions.python_snippet.worker.serve import serve
        from sandbox_corpus.fuzz.inside.watch import make_executor

        serve(descriptor, os.getppid(), wanted["memory"], make_executor(wanted["executor"], wanted["hole"]))
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(70)


if __name__ == "__main__":
    main()
