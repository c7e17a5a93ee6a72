"""The narrator: hears of every event and every attempt, and tells each event's story once it has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hookrt.cli.demo.story import Mailbox, gather_story, wait_until_idle, wait_until_settled
from hookrt.cli.demo.story_view import actions_of, tell, tell_later
from hookrt.cli.render import Screen
from hookrt.cli.wording import counted
from hookrt.errors import HookrtError
from hookrt.model.event import EventDraft
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.runtime import Receipt, Runtime

_BACKLOG = 200
_PATIENCE_S = 5.0
_MEMORY = 5000


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that was accepted, in the order of arrival; `duplicate` when it had been sent before."""

    type: str
    id: str
    source: str
    duplicate: bool


@dataclass(slots=True)
class News(Observer):
    """What the narrator has not told yet, at most two hundred items; what does not fit is counted."""

    waiting: asyncio.Queue[Arrival | AttemptRecorded] = field(default_factory=lambda: asyncio.Queue(_BACKLOG))
    missed: int = 0

    def arrived(self, drafts: Sequence[EventDraft], receipts: Sequence[Receipt]) -> None:
        """Events were accepted over HTTP."""
        for draft, receipt in zip(drafts, receipts, strict=True):
            self._put(Arrival(draft.type, receipt.id, receipt.source, receipt.duplicate))

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt is on disk."""
        self._put(recorded)

    def _put(self, item: Arrival | AttemptRecorded) -> None:
        try:
            self.waiting.put_nowait(item)
        except asyncio.QueueFull:
            self.missed += isinstance(item, Arrival)


class WatchedRuntime(Runtime):
    """A runtime that says what it accepts."""

    def __init__(self, *, news: News, **options: Any) -> None:
        super().__init__(observers=[news], **options)
        self._news = news

    async def accept(self, drafts: Sequence[EventDraft], **options: Any) -> list[Receipt]:
        """Take events as any runtime, and pass the word."""
        receipts = await super().accept(drafts, **options)
        self._news.arrived(drafts, receipts)
        return receipts


class Narrator:
    """Tells stories on the screen, one after the other."""

    def __init__(self, screen: Screen, runtime: Runtime, mailbox: Mailbox, news: News) -> None:
        self._screen = screen
        self._runtime = runtime
        self._mailbox = mailbox
        self._news = news
        self.happy = True
        """Whether everything told so far went well."""
        self._told: dict[str, None] = {}
        self._open: set[str] = set()
        self._actions = actions_of(list(runtime.router.hooks.values()))

    async def tell_next(self, says: str = "") -> bool:
        """Wait for the next news and tell them; whether they were an event that came in over HTTP."""
        item = await self._news.waiting.get()
        if self._news.missed:
            self._screen.line((f"… {counted(self._news.missed, 'more event')} came in, too fast to tell", "yellow"))
            self._news.missed = 0
        if isinstance(item, AttemptRecorded):
            await self._tell_attempt(item)
        elif item.duplicate:
            self._screen.line()
            self._screen.line(
                ("▶ ", "bold cyan"), (item.type, "bold"), f"  {item.id} was sent before: nothing new is done"
            )
        else:
            await self._tell_event(item.source, item.id, says)
        return isinstance(item, Arrival)

    async def tell_rest(self) -> None:
        """Tell what came of the events told so far, such as events that their steps emitted."""
        await wait_until_idle(self._runtime, _PATIENCE_S)
        while not self._news.waiting.empty():
            await self.tell_next()

    async def tell_forever(self) -> None:
        """Tell whatever comes until cancelled."""
        while True:
            try:
                await self.tell_next()
            except HookrtError as error:
                self._screen.line((str(error), "red"))

    async def _tell_event(self, source: str, event_id: str, says: str) -> None:
        await wait_until_settled(self._runtime, source, event_id, _PATIENCE_S)
        story = await gather_story(self._runtime, self._mailbox, source, event_id)
        if story is None:
            return
        for chapter in story.chapters.values():
            self._remember(chapter.delivery.id, final=chapter.delivery.status.final)
        self.happy = self.happy and story.happy
        tell(self._screen, story, says, self._actions)

    async def _tell_attempt(self, recorded: AttemptRecorded) -> None:
        """An attempt of a story that has been told, or of an event that a step emitted, which nobody announces."""
        if recorded.delivery in self._open:
            tell_later(self._screen, recorded.hook, recorded.attempt, recorded.status)
            if recorded.status.final:
                self._open.discard(recorded.delivery)
        elif recorded.delivery not in self._told:
            found = await self._runtime.store.delivery(recorded.delivery)
            if found is not None and found.event.cause is not None:
                await self._tell_event(found.event.source, found.event.id, "emitted by a step")

    def _remember(self, delivery: str, *, final: bool) -> None:
        self._told[delivery] = None
        if not final:
            self._open.add(delivery)
        while len(self._told) > _MEMORY:
            oldest = next(iter(self._told))
            del self._told[oldest]
            self._open.discard(oldest)
