"""Isolation levels of workers, from the service's side: which one is required here, and what to say of a lower one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from hookrt.actions.python_snippet.worker.seccomp import is_supported
from hookrt.actions.python_snippet.worker.walls import EXTRAS

Level = Literal["full", "core", "degraded"]
"""All walls; the filter of system calls and the limits; anything less."""

LEVELS: tuple[Level, ...] = ("degraded", "core", "full")
"""The levels, the weakest first."""

WALLS = ("seccomp", "rlimits", *sorted(EXTRAS))
"""Every wall, those first that make the level `core`."""

_FILTER = "a filter around the service (a container's profile, `SystemCallFilter=` of systemd) must let it load its own"
_NO_FILTER = "hookrt has that filter on Linux on x86_64 and aarch64 only"
_NAMESPACES = (
    "the kernel must give it user namespaces: sysctl user.max_user_namespaces above 0, "
    "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; a container's profile and "
    "`RestrictNamespaces=` of systemd must leave them"
)
_USER = "run the service as a user of its own, or as a root that may change its user and drop capabilities"
_WAYS = {
    "rlimits": "the hard limits of the service (`ulimit -H -a`, `LimitAS=` of systemd) must not be below a worker's",
    "landlock": "the kernel must have Landlock: 5.13 or newer, with `landlock` in /sys/kernel/security/lsm",
    "namespaces": _NAMESPACES,
    "empty-root": _NAMESPACES,
    "unprivileged-user": _USER,
    "no-capabilities": _USER,
    "no-new-privileges": "nothing around the service may refuse prctl(PR_SET_NO_NEW_PRIVS)",
}


class Isolated(Protocol):
    """Something that tested how it is isolated."""

    @property
    def isolation(self) -> str:
        """Its level."""
        ...

    @property
    def walls(self) -> tuple[str, ...]:
        """The walls that stand around it."""
        ...


class Weakest:
    """The weakest of the workers that there are, or were last; None before the first one."""

    def __init__(self) -> None:
        self.worker: Isolated | None = None
        self._there: dict[Isolated, None] = {}

    def add(self, worker: Isolated) -> None:
        """One more."""
        self._there[worker] = None
        self.worker = min(self._there, key=lambda each: _rank(each.isolation))

    def remove(self, worker: Isolated) -> None:
        """One less, if it was there."""
        if self._there.pop(worker, worker) is None and self._there:
            self.worker = min(self._there, key=lambda each: _rank(each.isolation))


def default_level(local: bool) -> Level:
    """What is required where nothing is written: `core`, or `degraded` on a system that has no filter of system calls,
    as long as only this machine reaches the service.
    """
    return "core" if is_supported() or not local else "degraded"


def reaches(level: str, required: str) -> bool:
    """Whether a worker of this level may run snippets; one that says no known level may not, unless all may."""
    return _rank(level) >= _rank(required)


def missing_walls(standing: Iterable[str]) -> tuple[str, ...]:
    """The walls that are not there."""
    there = set(standing)
    return tuple(wall for wall in WALLS if wall not in there)


def describe_shortfall(level: str, walls: Iterable[str], required: str) -> str:
    """Why a worker that reached only this level is not used, which walls it lacks, and what would change that."""
    missing, usable = missing_walls(walls), LEVELS[_rank(level)]
    needed = [wall for wall in missing if required == "full" or wall not in EXTRAS]
    ways = dict.fromkeys(_way(wall) for wall in needed)
    return (
        f"python snippets require the isolation level `{required}` here, and a worker reaches `{level}` only: it lacks "
        f"{', '.join(missing) or 'what it does not name'}. To change that, {'; '.join(ways) or 'see docs/sandbox.md'}. "
        f"To run snippets with less, write `require: {usable}` under `service: actions: python:` in hooks.yaml"
        + (", and run only those of people whom you trust" if usable == "degraded" else "")
    )


def _way(wall: str) -> str:
    if wall == "seccomp":
        return _FILTER if is_supported() else _NO_FILTER
    return _WAYS[wall]


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 0
