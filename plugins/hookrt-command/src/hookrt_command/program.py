"""Which file a program is, where it runs and with which variables."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

HANDED_ON = ("PATH", "HOME", "LANG")
"""The variables of the service that every program gets."""

_MAX_NAMES = 20_000


class NotRunnable(Exception):  # noqa: N818 - it says what is the case
    """There is no such program or folder; the message is for people, `hint` too."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def find_program(name: str, base_dir: Path, path: str) -> str:
    """The absolute path of a program; raises NotRunnable.

    A name without `/` is looked for in the folders of `path`, of which relative ones are passed over; a relative path
    starts at `base_dir`.
    """
    if "/" in name:
        return _checked(name, base_dir / name)
    folders = [folder for folder in path.split(os.pathsep) if os.path.isabs(folder)]
    found = shutil.which(name, path=os.pathsep.join(folders)) if folders else None
    if found is not None:
        return found
    hint = None
    if " " in name:
        hint = "each argument is an item of its own: [program, argument, ...]"
    elif (base_dir / name).is_file():
        hint = f"write ./{name} for the file beside hooks.yaml"
    elif near := difflib.get_close_matches(name, _names_in(folders), 1, 0.8):
        hint = f"did you mean {near[0]!r}?"
    raise NotRunnable(f"there is no program {name!r} on the PATH ({path or 'which is empty'})", hint)


def find_folder(cwd: str | None, base_dir: Path) -> str:
    """The absolute path of the folder to run in; raises NotRunnable.

    A relative one stays below `base_dir`, where no link leads out of it either.
    """
    if cwd is None:
        return str(base_dir.resolve())
    if "\0" in cwd:
        raise NotRunnable("this is no path")
    folder = (base_dir / cwd).resolve()
    if not os.path.isabs(cwd) and not folder.is_relative_to(base_dir.resolve()):
        raise NotRunnable(
            f"{cwd!r} leads out of the folder of hooks.yaml", "write the absolute path, if that is what you want"
        )
    if not folder.is_dir():
        raise NotRunnable(f"there is no folder {cwd!r}" + ("" if os.path.isabs(cwd) else " below that of hooks.yaml"))
    return str(folder)


def make_environment(own: Mapping[str, str], inherited: Sequence[str], service: Mapping[str, str]) -> dict[str, str]:
    """All variables of a program: its own over those of the service that it gets."""
    handed = {name: service[name] for name in (*HANDED_ON, *inherited) if name in service}
    return {**handed, **own}


def _checked(written: str, path: Path) -> str:
    if not path.exists():
        where = "" if os.path.isabs(written) else " (a relative path starts at the folder of hooks.yaml)"
        raise NotRunnable(f"there is no program {written!r}{where}")
    if not path.is_file():
        raise NotRunnable(f"{written!r} is no file")
    if not os.access(path, os.X_OK):
        raise NotRunnable(f"{written!r} may not be executed", f"chmod +x {written}")
    return os.path.abspath(path)


def _names_in(folders: Sequence[str]) -> list[str]:
    names: list[str] = []
    for folder in folders:
        try:
            names += os.listdir(folder)
        except OSError:
            continue
    return names[:_MAX_NAMES]
