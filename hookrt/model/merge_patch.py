"""JSON Merge Patch (RFC 7396): how a hook of `mode: decide` changes an event's data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """The target as the patch leaves it; neither is changed, but the result may share parts with both.

    An object is merged key by key, null removes a key, and what is no object replaces all that was there. Keys are
    data and nothing else. It recurses as deep as the patch, which its reader bounds.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
