"""Webhooks that come in: each handed to its source, stored, and only then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hookrt.config.sources import SourceEntry
from hookrt.delivery.ports import Ports
from hookrt.errors import EventConflict, EventError, HookrtError, UsageError
from hookrt.model.event import EventDraft
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.inbound import Inbound, InboundSource, Reply
from hookrt.plugin.refusal import Refused
from hookrt.runtime.drafts import refuse_reserved
from hookrt.runtime.inbound_accounts import Accounts, InboundAccount
from hookrt.runtime.inbound_draft import make_drafts
from hookrt.runtime.inbound_reply import accepted_reply
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.source_facts import most_bytes
from hookrt.runtime.source_runs import Accept, same_source
from hookrt.runtime.wiring import Parts

IN_THREAD = 128 * 1024
"""Bodies above this many bytes are verified and read in a thread, so that they hold up nobody else."""


@dataclass(slots=True)
class _Open:
    """An entry of `sources:` with the one instance that serves it."""

    entry: SourceEntry
    plugin: InboundSource[Any]


class InboundDoor:
    """Serves `/in/{name}`, whoever speaks HTTP: `admit` before a body is read, then `receive`.

    What comes of each request is counted, and each refusal logged, with neither a secret nor an expected signature.
    """

    def __init__(self, parts: Parts, ports: Ports, accept: Accept, accounts: Accounts) -> None:
        self._parts = parts
        self._ports = ports
        self._accept = accept
        self._accounts = accounts
        self._open: dict[str, _Open] = {}
        self._read_from: tuple[SourceEntry, ...] | None = None

    def admit(self, name: str, method: str) -> int | Reply:
        """How many bytes the body of such a request may have; or how to answer one that cannot be taken at all."""
        found = self._find(name)
        if found is None:
            return self._accounts.unknown(name)
        if method not in found.plugin.methods:
            return self._accounts.wrong_method(name, method, sorted(found.plugin.methods))
        return most_bytes(found.entry)

    def too_large(self, name: str, most: int) -> Reply:
        """The answer to a body above what `admit` said."""
        return self._accounts.refused(name, Refused("too-large", f"the body may have {most} bytes at most (max_body)"))

    async def receive(self, name: str, request: Inbound) -> Reply:
        """Verify a request, store its event, and say what to answer. Raises UsageError when the runtime stops."""
        most = self.admit(name, request.method)
        if isinstance(most, Reply):
            return most
        if len(request.body) > most:
            return self.too_large(name, most)
        try:
            return await self._receive(self._open[name], request)
        except Refused as refused:
            return self._accounts.refused(name, refused)
        except UsageError:
            raise
        except HookrtError as error:
            return self._accounts.not_taken(name, error)

    def now_us(self) -> int:
        """The service's time, in microseconds."""
        return self._ports.clock.now_us()

    def accounts(self) -> Mapping[str, InboundAccount]:
        """What came in since the start, by source."""
        return self._accounts.of_sources()

    async def _receive(self, found: _Open, request: Inbound) -> Reply:
        name = found.entry.name
        try:
            if len(request.body) > IN_THREAD:
                said = await asyncio.to_thread(self._understand, found, request)
            else:
                said = self._understand(found, request)
            if isinstance(said, Reply):
                return self._accounts.replied(name, said)
        except (Refused, EventError):
            raise
        except FAULTS as error:
            return self._accounts.failed(name, error)
        return await self._store(found.entry, said)

    def _understand(self, found: _Open, request: Inbound) -> list[EventDraft] | Reply:
        """Ask the source what a request is, and make events of it."""
        said = found.plugin.receive(request, found.entry.settings)
        if isinstance(said, Reply):
            return said
        drafts = make_drafts(found.entry, request, said)
        for draft in drafts:
            refuse_reserved(draft)
        return drafts

    async def _store(self, entry: SourceEntry, drafts: list[EventDraft]) -> Reply:
        try:
            receipts = await self._accept(drafts, entry.name) if drafts else []
        except EventConflict:  # the sender says that it is the same, whatever it counts in the body of a repetition
            receipts = await self._accept_apart(entry, drafts) if len(drafts) > 1 else []
            duplicate = all(receipt.duplicate for receipt in receipts)
        else:
            duplicate = bool(receipts) and all(receipt.duplicate for receipt in receipts)
        self._accounts.accepted(entry.name, duplicate=duplicate)
        ids = [draft.id for draft in drafts if draft.id] or [receipt.id for receipt in receipts]
        return accepted_reply(getattr(entry.settings, "respond", None), ids)

    async def _accept_apart(self, entry: SourceEntry, drafts: list[EventDraft]) -> list[Receipt]:
        """Store the events of a batch of which some are repetitions with another content: all but those."""
        receipts = []
        for draft in drafts:
            with suppress(EventConflict):
                receipts += await self._accept([draft], entry.name)
        return receipts

    def _find(self, name: str) -> _Open | None:
        if self._parts.sources is not self._read_from:
            self._follow(self._parts.sources)
        return self._open.get(name)

    def _follow(self, entries: tuple[SourceEntry, ...]) -> None:
        """Take over what is declared now; an entry that is what it was keeps its instance."""
        known, self._open = self._open, {}
        for entry in entries:
            before = known.get(entry.name)
            if before is not None and same_source(entry, before.entry):
                self._open[entry.name] = before
            elif isinstance(plugin := entry.plugin(), InboundSource):
                self._open[entry.name] = _Open(entry, plugin)
        self._read_from = entries
