"""Start-up times beyond bare Python's own: `import hookrt`, `hookrt check`, and `hookrt run` ready to serve.

As an installed package starts: with its byte code at hand, which a first, untimed round writes.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "hooks.yaml"
BYTE_CODE = tempfile.TemporaryDirectory(prefix="hookrt-byte-code-")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": BYTE_CODE.name,
    "HOOKRT_SECRET_CRM_SIGNING_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "HOOKRT_SECRET_ALERTS_SIGNING_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


def _timed(run: Callable[[], None], rounds: int = 7) -> float:
    run()
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def _serve_until_ready() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/hookrt.db"
        command = [sys.executable, "-m", "hookrt", "run", str(EXAMPLE), "--port", str(port), "--store", store]
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_ready(f"http://127.0.0.1:{port}/readyz", process)
        finally:
            process.kill()
            process.wait()


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError("hookrt run ended before it was ready")


def measure() -> dict[str, float]:
    """Seconds beyond bare Python's start."""
    bare = _timed(lambda: _python("-c", "pass"))
    return {
        "bare_python_s": bare,
        "import_s": _timed(lambda: _python("-c", "import hookrt")) - bare,
        "check_s": _timed(lambda: _python("-m", "hookrt", "check", str(EXAMPLE))) - bare,
        "ready_s": _timed(_serve_until_ready, 5) - bare,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
