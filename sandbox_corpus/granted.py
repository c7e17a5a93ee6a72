"""What items with `allow` are granted: the service's own broker, with answers that need no network and no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.broker import SnippetBroker
from hookrt.actions.python_snippet.grants import Grants
from hookrt.actions.python_snippet.pool import Run
from hookrt.testing import Answer, RecordedHttp, call_for
from sandbox_corpus.items import Item

SECRETS = {"CRM_TOKEN": "granted-4711", "OTHER": "canary-5b1f0c"}
"""The service's secrets; items are granted CRM_TOKEN at most, and OTHER is the canary."""


def with_grants(run: Run, item: Item) -> Run:
    """The same run, with what the item's `allow` grants; as it is for most items."""
    allow: Mapping[str, Any] | None = item.fields.get("allow")
    if allow is None:
        return run
    http, secrets, emit = (tuple(allow.get(name, ())) for name in ("http", "secrets", "emit"))
    grants = Grants(http, secrets, bool(allow.get("state")), emit)
    way_out = RecordedHttp(Answer(json={"name": "Ada"}, headers={"X-Id": "7"}))
    call = call_for(PythonSnippet, {"code": run.code}, http=way_out, secrets=SECRETS)
    return replace(run, broker=SnippetBroker(call, grants), grants=grants.digest, granted=grants.names)
