"""The reference of expressions: every name and function, from the list that `hookrt check` goes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hookrt.matching.names import EVENT_FIELDS, FUNCTIONS, REQUEST_VARIABLES, VARIABLES, Published


def expressions_page() -> Iterator[str]:
    """Names, operators and functions."""
    yield "# Expressions"
    yield ""
    yield "Conditions (`when`), keys (`by`) and `${{ }}` are written in [CEL](https://cel.dev); "
    yield "[hooks.yaml](../../hooks-yaml.md#conditions) shows them at work. What is not listed here does not exist, and"
    yield "`hookrt check` says so; [plugins](../../plugins.md) can add functions."
    yield from _section("Names", VARIABLES)
    yield ""
    yield "The fields of `event`: " + ", ".join(f"`{name}`" for name in EVENT_FIELDS) + "."
    yield from _section("Names in `type`, `subject` and `id` of a source", REQUEST_VARIABLES)
    yield from ("", "## Operators", "")
    yield "`==` `!=` `<` `<=` `>` `>=`, `&&` `||` `!`, `+` `-` `*` `/` `%`, `x in list`, `key in map`,"
    yield "`condition ? one : other`; `+` also joins texts and lists."
    yield ""
    yield "Text is in quotes, double or single ones; a list is `[1, 2]`, a map `{'a': 1}`."
    yield from _section("Functions", FUNCTIONS)


def _section(title: str, listed: Iterable[Published]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| written | is |", "|---|---|")
    for one in listed:
        about = one.about.replace("|", "\\|")
        yield f"| `{one.form}` | {about} |"
