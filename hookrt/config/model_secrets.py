"""The secrets in validated settings: what must not show, also where somebody wrote it into the file itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from hookrt.model.hook import SigningSecret
from hookrt.plugin.settings import Secret


def secrets_in(value: Any) -> Iterator[str]:
    """Every `Secret` of a settings model, or one to sign with, however deep in lists, mappings and models it stands."""
    if isinstance(value, Secret):
        yield value.get_secret_value()
    elif isinstance(value, SigningSecret):
        yield value.value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name, None))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from secrets_in(item)
