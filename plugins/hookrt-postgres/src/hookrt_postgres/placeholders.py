"""The placeholders of a statement: do they fit the parameters?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hookrt.plugin import SettingsProblem

_PERCENT = re.compile(r"%(?:\(([^)]*)\))?(.?)", re.DOTALL)


def check_placeholders(sql: str, params: Mapping[str, Any] | list[Any] | None) -> Iterator[SettingsProblem]:
    """What does not fit. Without parameters a `%` is a percent sign and nothing else."""
    found = [(one[1], one[2], one.start()) for one in _PERCENT.finditer(sql) if one[1] is not None or one[2] != "%"]
    if params is None:
        named = next((name for name, kind, _ in found if name and kind == "s"), None)
        if named is not None:
            yield SettingsProblem(("sql",), f"`%({named})s` needs `params`")
        return
    for _, kind, start in found:
        if kind != "s":
            line, column = sql.count("\n", 0, start) + 1, start - sql.rfind("\n", 0, start)
            message = "beside `params`, a percent sign is written `%%`, a placeholder `%(name)s`"
            yield SettingsProblem(("sql",), message, line=line, column=column)
            return
    yield from _misfits([name for name, _, _ in found], params)


def _misfits(names: list[str | None], params: Mapping[str, Any] | list[Any]) -> Iterator[SettingsProblem]:
    if isinstance(params, list):
        if any(name is not None for name in names):
            yield SettingsProblem(("params",), "`%(name)s` takes its value from a mapping, and `params` is a list")
        elif len(names) != len(params):
            yield SettingsProblem(("params",), f"`sql` has {len(names)} placeholders, `params` {len(params)} values")
        return
    if None in names:
        yield SettingsProblem(("params",), "`%s` takes its value from a list, and `params` is a mapping")
        return
    for name in sorted({name for name in names if name is not None} - params.keys()):
        yield SettingsProblem(("params",), f"`sql` has `%({name})s`, and `params` no `{name}`")
    for name in sorted(params.keys() - set(names)):
        yield SettingsProblem(("params",), f"`params` has `{name}`, and `sql` no `%({name})s`")
