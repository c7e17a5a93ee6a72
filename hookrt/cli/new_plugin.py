"""A new plugin as a complete distribution: what `hookrt plugins new` writes."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from hookrt.cli.version import installed_version
from hookrt.errors import HookrtError
from hookrt.plugin.admission import STEP_KEYS

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PREFIX = "hookrt-"
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?((?:a|b|rc|\.dev)\d+)?")


@dataclass(frozen=True, slots=True)
class NewPlugin:
    """The names of a new plugin: of its action, its distribution and its package."""

    name: str

    @classmethod
    def named(cls, written: str, taken: Collection[str]) -> NewPlugin:
        """The plugin that a name means; raises HookrtError saying what would be one, or that it is taken."""
        name = written.removeprefix(_PREFIX)
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name.endswith("_"):
            raise HookrtError(f"{written!r} is no name for an action: {_hint(written)}")
        if name in STEP_KEYS:
            raise HookrtError(f"{name!r} is a key of every step, and no action: did you mean {name + '_it'!r}?")
        if name in taken:
            hint = f"did you mean {name + '_plus'!r}? `hookrt docs {name}` shows the one that is installed"
            raise HookrtError(f"there is an action {name!r} already: {hint}")
        return cls(name)

    @property
    def distribution(self) -> str:
        """What `pip install` takes."""
        return _PREFIX + self.name.replace("_", "-")

    @property
    def package(self) -> str:
        """What `import` takes."""
        return "hookrt_" + self.name

    @property
    def main_file(self) -> str:
        """The one file that its author has to change."""
        return f"src/{self.package}/action.py"

    def next_steps(self, folder: Path) -> list[tuple[str, str]]:
        """The commands that come next, and what each does."""
        return [
            (f"cd {shlex.quote(str(folder))}", ""),
            ("pip install -e . pytest", "hookrt finds it from now on"),
            ("pytest", "its tests, and the contract of every action"),
            ("hookrt check", "the hooks.yaml that uses it"),
            (f"hookrt plugins verify {self.distribution}", "what else can be known"),
        ]


def write_plugin(plugin: NewPlugin, folder: Path) -> list[Path]:
    """Write every file below a folder that is not there yet, or empty; raises HookrtError when something is."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HookrtError(f"{folder} is there already: nothing was written (--directory names another folder)")
    written = []
    for name, text in _contents(plugin).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
        written.append(file)
    return written


def requirement() -> str:
    """The dependency on hookrt that a plugin of today has: any later version that is compatible with this one.

    Below 1.0 a minor version may take something away, as semantic versioning has it: `~=0.1.0` is 0.1 and no 0.2,
    while `~=1.4` is 1.4 and everything before 2.
    """
    return compatible_with(installed_version())


def compatible_with(version: str) -> str:
    """The dependency on this version of hookrt; a pre-release is named, or pip would not take it."""
    found = _VERSION.match(version)
    if found is None:
        return "hookrt"
    major, minor, patch, early = found.groups()
    if major != "0":
        return f"hookrt~={major}.{minor}{early or ''}"
    return f"hookrt~={major}.{minor}.{patch or 0}{early}" if early else f"hookrt~={major}.{minor}.0"


def _contents(plugin: NewPlugin) -> dict[str, str]:
    package = f"src/{plugin.package}"
    templates = {
        "pyproject.toml": "pyproject.toml",
        f"{package}/__init__.py": "init.py",
        f"{package}/action.py": "action.py",
        f"tests/test_{plugin.name}.py": "test.py",
        "hooks.yaml": "hooks.yaml",
        "README.md": "README.md",
        ".github/workflows/test.yml": "ci.yml",
        ".gitignore": "gitignore",
        "LICENSE": "LICENSE",
    }
    words = {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "package": plugin.package,
        "class": "".join(part.title() for part in plugin.name.split("_")),
        "hook": f"try-{plugin.name.replace('_', '-')}",
        "requirement": requirement(),
    }
    words["hooks"] = _fill(_template("hooks.yaml"), words)
    return {**{name: _fill(_template(of), words) for name, of in templates.items()}, f"{package}/py.typed": ""}


def _template(name: str) -> str:
    return (files("hookrt.cli.plugin_template") / f"{name}.txt").read_text(encoding="utf-8")


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"%%(\w+)%%", lambda found: words[found[1]], text)


def _hint(written: str) -> str:
    rule = "lower case letters, digits and '_', a letter first, at most 41"
    near = re.sub(r"[^a-z0-9]+", "_", written.removeprefix(_PREFIX).lower()).strip("_")[:40].rstrip("_")
    if not _NAME.fullmatch(near):
        return rule
    return f"{rule}; did you mean {near if not keyword.iskeyword(near) else near + '_it'!r}?"
