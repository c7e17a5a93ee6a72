"""A decision whose process is killed is recorded as cancelled, and is never run again."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hookrt import Runtime
from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery

WORKER = Path(__file__).parent / "asking_worker.py"
HOOKS = """
guard:
  on: A.B
  mode: {mode}
  steps: [{{webhook: "http://127.0.0.1:{port}/"}}]
"""


@pytest.mark.parametrize("mode", ["decide", "deliver"])
def test_a_killed_decision_is_cancelled_and_never_run_again(tmp_path: Path, mode: str) -> None:
    hooks, store = tmp_path / "hooks.yaml", f"sqlite:///{tmp_path}/app.db"

    def write(mode: str) -> None:
        text = HOOKS.format(mode=mode, port=endpoint.getsockname()[1])
        hooks.write_text("hooks:\n" + "".join(f"  {line}\n" for line in text.splitlines()))

    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        write("decide")
        with subprocess.Popen([sys.executable, str(WORKER), str(hooks), store]) as process:
            endpoint.settimeout(60)
            connection, _ = endpoint.accept()  # it is asked, and hears nothing
            process.kill()
        connection.close()
        write(mode)  # also when its hook has become one that events fire
        asyncio.run(judge(hooks, store))
        endpoint.settimeout(0)
        with pytest.raises(BlockingIOError):
            endpoint.accept()


async def judge(hooks: Path, store: str) -> None:
    async with Runtime.from_file(hooks, store=store) as runtime, asyncio.timeout(30):
        while True:
            [record] = (await runtime.store.deliveries(DeliveryQuery())).items
            if record.status.final:
                break
            await asyncio.sleep(0.01)
        assert (record.status, record.reason) == (Status.CANCELLED, "decision-interrupted")
        assert await runtime.store.attempts(record.id) == ()
