"""What the operating system sees of a worker, and what a worker holds of the service."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.worker import landlock, namespaces, seccomp

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@linux_only
def test_a_worker_is_confined_before_its_first_run(open_bench: Any) -> None:
    async def story() -> tuple[dict[str, str], str, list[str]]:
        async with open_bench() as bench:
            await bench.run("result = 1")
            if bench.pool.isolation == "degraded":
                pytest.skip("this system has no filter of system calls")
            [pid] = bench.pool.pids("hook")
            limits = Path(f"/proc/{pid}/limits").read_text()
            names = os.listdir(f"/proc/{pid}/fd") if os.geteuid() == 0 else []  # others may not look
            return status_of(pid), limits, names

    status, limits, descriptors = asyncio.run(story())
    assert (status["NoNewPrivs"], status["Seccomp"], status["CapEff"]) == ("1", "2", "0" * 16)
    assert status["Threads"] == "1"
    if os.geteuid() == 0 and int(status_of(os.getpid())["CapEff"], 16) & (1 << 7):
        assert set(status["Uid"].split()) == {"65534"}
    allowed = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
    assert allowed["Max address space"] == [str(256 * 2**20)] * 2
    assert allowed["Max file size"] == allowed["Max core file size"] == allowed["Max processes"] == ["0", "0"]
    assert allowed["Max cpu time"][0] != "unlimited" or os.geteuid() == 0
    assert len(descriptors) == 4 or os.geteuid() != 0  # /dev/null twice, the pipe for complaints, the socket


def test_a_worker_holds_nothing_of_the_service(open_bench: Any, raw_boot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKRT_SECRET_CANARY", "canary-93e1")
    code = "import os, sys\nresult = [dict(os.environ), sys.argv[1:4], sorted(sys.modules)]"

    async def story() -> Any:
        async with open_bench(raw_boot) as bench:
            return (await bench.run(code)).result

    environment, _, modules = asyncio.run(story())
    assert set(environment) <= {"LC_CTYPE"}  # Python sets it itself in a process without a locale
    ours = "hookrt.actions.python_snippet.worker"
    assert not [
        name for name in modules if name.startswith("hookrt.") and not ours.startswith(name) and ours not in name
    ]
    assert not {"pydantic", "httpx", "asyncio", "structlog", "subprocess", "sqlite3"} & set(modules)


def test_the_service_never_imports_what_compiles_snippets() -> None:
    code = (
        "import sys, hookrt.actions.python_snippet as action\n"
        "for name in sys.modules:\n"
        "    assert not name.startswith('RestrictedPython') and not name.endswith('.worker.policy'), name"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@linux_only
@pytest.mark.parametrize("machine", seccomp.ALLOWED)
def test_every_number_of_a_call_is_that_of_libseccomp(machine: str) -> None:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    resolve = library.seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    others = {"pivot_root": namespaces._PIVOT_ROOT[machine], "landlock_restrict_self": landlock._RESTRICT}
    fork = {name: number for name, (number, _) in seccomp.ONLY_WITH[machine].items()}
    others |= {**seccomp.TO_FORK[machine], **fork}
    for name, number in {**seccomp.ALLOWED[machine], **seccomp.WITHOUT_EXECUTION[machine], **others}.items():
        assert resolve(seccomp.AUDIT[machine], name.encode()) == number, name


@linux_only
def test_executable_memory_is_refused(open_bench: Any, raw_boot: Any) -> None:
    code = (
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.mmap.restype = ctypes.c_void_p\n"
        "plain = libc.mmap(None, 4096, 3, 0x22, -1, 0)\n"
        "result = [plain != 2**64 - 1, libc.mmap(None, 4096, 7, 0x22, -1, 0) == 2**64 - 1]"
    )

    async def story() -> Any:
        async with open_bench(raw_boot) as bench:
            given = await bench.run(code)
            return given if bench.pool.isolation != "degraded" else None

    given = asyncio.run(story())
    if given is None:
        pytest.skip("this system has no filter of system calls")
    assert given.result == [True, True]


WORKS_BEHIND_THE_WALLS = {
    "from zoneinfo import ZoneInfo\nfrom datetime import datetime\n"
    "result = datetime(2026, 7, 1, tzinfo=ZoneInfo('Europe/Berlin')).isoformat()": "2026-07-01T00:00:00+02:00",
    "from datetime import datetime\nresult = datetime.strptime('2. 1. 2026', '%d. %m. %Y').month": 1,
    "result = ['é'.encode('idna').decode(), 'あ'.encode('shift-jis').hex(), '\\N{BULLET}']": ["xn--9ca", "82a0", "•"],
    "import hashlib\nresult = [len(hashlib.new(n).hexdigest()) for n in ('md5', 'sha3_512', 'blake2b')]": [
        32,
        128,
        128,
    ],
    "import time\ntime.sleep(0.001)\nresult = time.strptime('1970', '%Y').tm_year": 1970,
    "from collections import Counter\nresult = Counter('aab').most_common(1)": [["a", 2]],
    "import uuid, random\nresult = [len(str(uuid.uuid4())), 0 <= random.random() < 1]": [36, True],
    "from urllib.parse import urlsplit\nresult = urlsplit('http://[::1]:80/x').port": 80,
}


@pytest.mark.parametrize("code", WORKS_BEHIND_THE_WALLS)
def test_what_python_loads_lazily_is_there_behind_the_walls(open_bench: Any, code: str) -> None:
    async def story() -> Any:
        async with open_bench() as bench:
            return await bench.run(code)

    given = asyncio.run(story())
    assert (given.outcome, given.result) == ("ok", WORKS_BEHIND_THE_WALLS[code])
