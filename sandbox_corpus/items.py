"""Reading a corpus: a YAML list, whose fields the headers of tests/corpora/*.yaml describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

EVENT = {"id": "evt_1", "type": "t", "time": "2026-11-23T08:00:00Z", "data": {"n": 1}}


class CorpusError(Exception):
    """A corpus cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Item:
    """One snippet, and what may become of it.

    `expect` holds the acceptable outcomes; without it the item is a benign one, which must give its `result`. `raw`
    items run without the language policy.
    """

    id: str
    source: str
    raw: bool = False
    expect: frozenset[str] | None = None
    event: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def benign(self) -> bool:
        """Whether this is a snippet that has to work."""
        return self.expect is None


def read_items(text: str, name: str) -> list[Item]:
    """The items of one file; CorpusError names the file, and the item."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CorpusError(f"{name} is no YAML: {error}") from None
    if not isinstance(found, list) or not found:
        raise CorpusError(f"{name} holds no list of items")
    return list(_items(found, name))


def _items(found: list[Any], name: str) -> Iterator[Item]:
    for number, each in enumerate(found, 1):
        if not isinstance(each, dict) or not {"snippet", "snippet_py"} & each.keys():
            raise CorpusError(f"{name}: item {number} has neither snippet nor snippet_py")
        if not {"expect", "result"} & each.keys():
            raise CorpusError(f"{name}: item {number} has neither expect nor result")
        yield Item(
            id=str(each.get("id", number)),
            source=_source(each, name),
            raw=each.get("mode") == "raw",
            expect=frozenset(each["expect"]) if "expect" in each else None,
            event=each.get("event") or EVENT,
            fields=each,
        )


def _source(each: dict[str, Any], name: str) -> str:
    if "snippet" in each:
        return str(each["snippet"])
    try:
        return str(eval(each["snippet_py"]))  # noqa: S307 - the corpus is ours, the snippet that this makes is not
    except Exception as error:
        raise CorpusError(f"{name}: snippet_py of {each.get('id')} fails: {error}") from None
