"""Names for what is imported: of hooks and sources, each once, and of the secrets that move out of the file."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from hookrt.config.sources import RESERVED_NAMES

_UNFIT = re.compile(r"[^a-z0-9_-]+")
_LONGEST = 60
_VARIABLE = "HOOKRT_SECRET_"
_BREAKS = {"\n", "\r", "\t"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(slots=True)
class HookNames:
    """Names that are taken already."""

    taken: set[str] = field(default_factory=lambda: set(RESERVED_NAMES))

    def take(self, text: str, otherwise: str = "hook") -> str:
        """A free name that is most like the text."""
        wanted = _UNFIT.sub("-", text.lower()).strip("-_")[:_LONGEST] or otherwise
        name = next(one for one in _numbered(wanted, "-") if one not in self.taken)
        self.taken.add(name)
        return name


@dataclass(slots=True)
class MovedSecrets:
    """The secrets that stood in a file, by their names in hooks.yaml. `named` are the names of those without a value,
    by the variables that they come from.
    """

    values: dict[str, str] = field(default_factory=dict, repr=False)
    named: dict[str, str] = field(default_factory=dict)

    def take(self, wanted: str, value: str) -> tuple[str, bool]:
        """The name under which hooks.yaml mentions this secret, and whether it is new; the same value has one name."""
        known = next((name for name, one in self.values.items() if one == value), None)
        if known is not None:
            return known, False
        name = self._free(wanted)
        self.values[name] = value
        return name, True

    def take_variable(self, variable: str) -> tuple[str, bool]:
        """The same for a secret that a variable holds."""
        if variable in self.named:
            return self.named[variable], False
        self.named[variable] = self._free(secret_name(variable))
        return self.named[variable], True

    def _free(self, wanted: str) -> str:
        taken = {*self.values, *self.named.values()}
        return next(one for one in _numbered(wanted, "_") if one not in taken)


def secret_name(*words: str) -> str:
    """`DEPLOY_SECRET` of `deploy` and `secret`."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper()).strip("_")
    return name if name[:1].isalpha() else f"S_{name}"


def variable(name: str) -> str:
    """The variable that a secret is read from."""
    return _VARIABLE + name


def mention(name: str) -> str:
    """How hooks.yaml mentions a secret."""
    return f"${{{{ secrets.{name} }}}}"


def env_lines(secrets: dict[str, str]) -> str:
    """The lines of a file for `hookrt run --env-file`."""
    return "".join(f"{variable(name)}={_quoted(value)}\n" for name, value in secrets.items())


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./+=-]*", value):
        return value
    if "'" not in value and not _BREAKS & set(value):
        return f"'{value}'"
    return '"' + "".join(_ESCAPES.get(character, character) for character in value) + '"'


def _numbered(name: str, joint: str) -> Collection[str]:
    return [name, *(f"{name}{joint}{number}" for number in range(2, 10_000))]
