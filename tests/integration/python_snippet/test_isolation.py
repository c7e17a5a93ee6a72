"""What a worker says of its isolation is so: its walls are tested before it is ready, and seen from outside."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.spawn import BOOT
from sandbox_corpus.workers import LAYERS, write_raw_boot

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

NAMESPACES = ("user", "net", "mnt", "ipc", "uts", "cgroup")


def namespaces_of(pid: int | str) -> set[str]:
    return {os.readlink(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}


def isolation_behind(open_bench: Any, script: Path) -> str:
    async def story() -> str:
        async with open_bench(script) as bench:
            await bench.run("result = 1")
            return bench.pool.isolation

    return asyncio.run(story())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look at a worker's namespaces")
def test_a_worker_shares_no_namespace_with_the_service(open_bench: Any, standing_walls: Any) -> None:
    if "namespaces" not in standing_walls():
        pytest.skip("this kernel gives no namespaces to those without privileges")

    async def story() -> tuple[set[str], list[str]]:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            interfaces = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
            return namespaces_of(pid), [line.split(":")[0].strip() for line in interfaces]

    theirs, interfaces = asyncio.run(story())
    assert not theirs & namespaces_of("self")
    assert set(interfaces) <= {"lo"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look at a worker's root directory")
def test_a_workers_root_directory_is_empty_and_cannot_be_written(open_bench: Any, standing_walls: Any) -> None:
    if "empty-root" not in standing_walls():
        pytest.skip("this kernel gives no namespaces to those without privileges")

    async def story() -> tuple[list[str], list[str]]:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            return os.listdir(f"/proc/{pid}/root"), Path(f"/proc/{pid}/mounts").read_text().splitlines()

    entries, mounts = asyncio.run(story())
    assert entries == []
    assert [line.split()[1:3] for line in mounts] == [["/", "tmpfs"]]
    assert mounts[0].split()[3].startswith("ro,nosuid,nodev,noexec")


def test_two_workers_share_no_namespace_with_each_other(open_bench: Any, standing_walls: Any) -> None:
    if "namespaces" not in standing_walls() or os.geteuid() != 0:
        pytest.skip("this kernel gives no namespaces, or we may not look at them")

    async def story() -> tuple[set[str], set[str]]:
        async with open_bench() as bench:
            await asyncio.gather(bench.run("result = 1", "one"), bench.run("result = 1", "two"))
            [one], [two] = bench.pool.pids("one"), bench.pool.pids("two")
            return namespaces_of(one), namespaces_of(two)

    one, two = asyncio.run(story())
    assert not one & two


def test_a_worker_names_only_walls_that_stand(open_bench: Any, standing_walls: Any, tmp_path: Path) -> None:
    if "seccomp" not in standing_walls():
        pytest.skip("this system has no filter of system calls")
    assert isolation_behind(open_bench, write_raw_boot(tmp_path, ["rlimits", "seccomp"])) == "core"
    assert isolation_behind(open_bench, write_raw_boot(tmp_path, ["seccomp"])) == "degraded"
    assert isolation_behind(open_bench, write_raw_boot(tmp_path, LAYERS[:-1])) == "degraded"


def test_all_layers_one_by_one_are_what_a_worker_raises(open_bench: Any, raw_boot: Path, tmp_path: Path) -> None:
    together = isolation_behind(open_bench, raw_boot)
    assert isolation_behind(open_bench, write_raw_boot(tmp_path, LAYERS)) == together


def test_a_worker_that_only_compiles_has_the_same_walls(standing_walls: Any) -> None:
    assert standing_walls("--checks") == standing_walls()


UNTRUE = """\
import sys
sys.path.insert(0, {folder!r})
import boot
boot.prepare_imports(sys.argv[4:])
from hookrt.actions.python_snippet.worker import {module}
{module}.{name} = {value}
boot.main()
"""


@pytest.mark.parametrize(
    ("module", "name", "value", "level"),
    [
        ("seccomp", "install", "lambda libc: True", "degraded"),  # says that it is in force, and is not
        ("walls", "MAX_DESCRIPTORS", "2**40", "degraded"),  # a limit that the system refuses
        ("landlock", "deny_all", "lambda libc: 7", "core"),
        ("namespaces", "_empty_root", "lambda libc, machine: True", "core"),
    ],
)
def test_the_self_test_finds_a_wall_that_does_not_stand(
    open_bench: Any, standing_walls: Any, tmp_path: Path, module: str, name: str, value: str, level: str
) -> None:
    if not {"seccomp", "landlock", "empty-root"} <= standing_walls():
        pytest.skip("this system does not have all walls")
    script = tmp_path / "boot.py"
    script.write_text(UNTRUE.format(folder=str(BOOT.parent), module=module, name=name, value=value))
    assert isolation_behind(open_bench, script) == level
