"""The types of the settings `success` and `retry_on`, for every action that speaks HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hookrt.model.answers import RETRY_WORDS, RetryOn, read_retry_on, read_statuses

_STATUSES = (
    {"type": "string", "pattern": "^[1-5](xx|\\d\\d|\\d\\d-[1-5]\\d\\d)$", "examples": ["2xx", "200-204"]},
    {"type": "integer", "minimum": 100, "maximum": 599, "examples": [404]},
)
_FAILURES = (*_STATUSES, {"enum": list(RETRY_WORDS)})


@dataclass(frozen=True, slots=True, eq=False)
class _Words:
    """How one word, or a list of them, is validated and described.

    `read` raises ValueError for a word that is none, `make` makes a `kind` of them all, `forms` are the schemas of one.
    """

    read: Callable[[str], object]
    make: Callable[[list[str]], object]
    kind: type
    forms: tuple[dict[str, Any], ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A list of words, each checked where it stands."""
        word = core_schema.no_info_plain_validator_function(self._check)
        words = core_schema.list_schema(word)
        listed = core_schema.no_info_before_validator_function(_as_list, words)
        made = core_schema.no_info_after_validator_function(self.make, listed)
        instance = core_schema.is_instance_schema(self.kind)
        return core_schema.json_or_python_schema(made, core_schema.union_schema([instance, made]))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One word, or a list."""
        return {"anyOf": [*self.forms, {"type": "array", "minItems": 1, "items": {"anyOf": list(self.forms)}}]}

    def _check(self, value: Any) -> str:
        word = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self.read(word)
        return word


def _as_list(value: Any) -> list[Any]:
    """One word as a list of one; a code may be a number."""
    if not isinstance(value, list | tuple):
        return [value]
    if not value:
        raise ValueError("the list is empty")
    return list(value)


def _all_statuses(words: list[str]) -> frozenset[int]:
    return frozenset().union(*map(read_statuses, words))


Statuses = Annotated[frozenset[int], _Words(read_statuses, _all_statuses, frozenset, _STATUSES)]
"""HTTP statuses: a class (`2xx`), a code (`404`), a range (`200-204`), or a list of these."""

Failures = Annotated[RetryOn, _Words(lambda word: read_retry_on([word]), read_retry_on, RetryOn, _FAILURES)]
"""Failures: statuses as above, `timeout`, `connect` (or dns, refused, reset, tls), `redirect`, `too-large`, `protocol`,
or a list of these."""
