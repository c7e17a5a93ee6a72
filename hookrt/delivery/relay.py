"""How a process that does not deliver hands its events to the one that does: a socket beside the store.

Each request is one frame: four bytes of length, then JSON. It is answered with one frame, after the commit. When the
delivering process is gone, the event is written straight to the store instead, and whoever delivers next finds it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from hookrt.clock import Clock
from hookrt.delivery.intake import Accepted
from hookrt.errors import EventConflict, EventError, HookrtError, Overloaded, StoreError
from hookrt.model.event import AttributeValue, EventDraft
from hookrt.plugin.protocols import Log

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of one frame: a batch of the largest size, in base64, fits."""

PATIENCE_S = 5.0
"""How long the delivering process may take for its answer, and how long it is left alone when it took longer."""

MAX_PATH = 100
"""Characters that a socket's path may have on every system."""


class _Draft(msgspec.Struct, frozen=True):
    type: str
    content: bytes
    id: str | None
    source: str | None
    subject: str | None
    time: datetime | None
    content_type: str | None
    binary: bool
    attributes: dict[str, AttributeValue]
    only: str | None = None


class _Request(msgspec.Struct, frozen=True):
    drafts: list[_Draft]
    default_source: str
    batch: bool


class _Accepted(msgspec.Struct, frozen=True):
    id: str
    source: str
    deliveries: tuple[str, ...]
    duplicate: bool


class _Answer(msgspec.Struct, frozen=True):
    accepted: list[_Accepted] = []
    error: str | None = None
    message: str = ""
    index: int | None = None
    retry_after: float = 1.0


_ERRORS: dict[str, type[HookrtError]] = {
    "EventConflict": EventConflict,
    "EventError": EventError,
    "StoreError": StoreError,
}

Accept = Callable[[Sequence[EventDraft], str, bool], Coroutine[Any, Any, list[Accepted]]]
"""Takes drafts, their default source, and whether they are a batch (all or nothing)."""


class Gone(Exception):  # noqa: N818
    """The delivering process cannot be reached."""


class RelayServer:
    """Takes events from other processes of the same user, while this process delivers."""

    def __init__(self, path: Path, accept: Accept, log: Log) -> None:
        self._path = path
        self._accept = accept
        self._log = log
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; only the user that runs this process can connect. Without a socket the others write to the file."""
        if len(str(self._path)) > MAX_PATH:
            self._log.info("no-relay", why="the store's path is too long for a socket", path=str(self._path))
            return
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, sock=_bind_privately(self._path))
        except OSError as error:
            self._log.warning("no-relay", why=str(error), path=str(self._path))

    async def stop(self) -> None:
        """Listen no more, and let the peers know."""
        if self._server is None:
            return
        self._server.close()
        for peer in list(self._peers):
            peer.close()
        await self._server.wait_closed()
        with suppress(OSError):
            self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.add(writer)
        try:
            while True:
                request = msgspec.json.decode(await _read_frame(reader), type=_Request)
                _write_frame(writer, msgspec.json.encode(await self._answer(request)))
                await writer.drain()
        except OSError:
            await _let_go(writer)
        except (EOFError, msgspec.MsgspecError, Gone):
            return
        finally:
            self._peers.discard(writer)
            writer.close()

    async def _answer(self, request: _Request) -> _Answer:
        drafts = [EventDraft(**msgspec.structs.asdict(draft)) for draft in request.drafts]
        if not drafts:
            return _Answer([], "EventError", "no event was sent")
        try:
            accepted = await self._accept(drafts, request.default_source, request.batch)
        except Overloaded as error:
            return _Answer([], "Overloaded", str(error), None, error.retry_after.total_seconds())
        except EventError as error:
            kind = "EventConflict" if isinstance(error, EventConflict) else "EventError"
            return _Answer([], kind, str(error), error.index)
        except HookrtError as error:
            return _Answer([], "StoreError", str(error))
        return _Answer([_Accepted(one.id, one.source, one.deliveries, one.duplicate) for one in accepted])


class RelayClient:
    """Hands events to the delivering process. One request at a time on its connection.

    A process that does not answer within `patience_s` counts as gone, and is not asked again for as long.
    """

    def __init__(self, path: Path, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._clock = clock
        self._patience_s = patience_s
        self._silent_until = 0.0
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, drafts: Sequence[EventDraft], default_source: str, *, batch: bool) -> list[Accepted]:
        """What the delivering process says; raises what it raised there, or Gone when nobody answers in time.

        After Gone the events may or may not be stored: whoever writes them again must use the same ids.
        """
        frame = msgspec.json.encode(_Request([_as_struct(draft) for draft in drafts], default_source, batch))
        if len(frame) > MAX_FRAME:
            raise Gone(f"a frame of {len(frame)} bytes is too large")
        answer = await self._ask(frame)
        if answer.error is None:
            return [Accepted(one.id, one.source, one.deliveries, one.duplicate) for one in answer.accepted]
        raise _rebuilt(answer)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            await _let_go(writer)

    async def _ask(self, frame: bytes) -> _Answer:
        """One exchange; the wait for one's turn counts, so that a silent process holds up everybody only once."""
        if self._clock.monotonic() < self._silent_until:
            raise Gone("it did not answer a moment ago")
        try:
            async with asyncio.timeout(self._patience_s), self._lock:
                return await self._exchange(frame)
        except TimeoutError:
            self._silent_until = self._clock.monotonic() + self._patience_s
            raise Gone("it does not answer") from None

    async def _exchange(self, frame: bytes) -> _Answer:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_unix_connection(str(self._path))
            reader, writer = self._streams
            _write_frame(writer, frame)
            await writer.drain()
            return msgspec.json.decode(await _read_frame(reader), type=_Answer)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            await self.close()
            raise Gone(str(error)) from None
        except BaseException:
            await self.close()  # an answer that nobody reads must not be taken for the next one's
            raise


async def _let_go(writer: asyncio.StreamWriter) -> None:
    """Close it at once. What went wrong is known; asyncio would log it with a traceback if nobody asked for it."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def _as_struct(draft: EventDraft) -> _Draft:
    return _Draft(
        draft.type,
        draft.content,
        draft.id,
        draft.source,
        draft.subject,
        draft.time,
        draft.content_type,
        draft.binary,
        dict(draft.attributes),
        draft.only,
    )


def _rebuilt(answer: _Answer) -> HookrtError:
    if answer.error == "Overloaded":
        return Overloaded(answer.message, timedelta(seconds=answer.retry_after))
    error = _ERRORS.get(answer.error or "", StoreError)(answer.message)
    if isinstance(error, EventError):
        error.index = answer.index
    return error


def _bind_privately(path: Path) -> socket.socket:
    """A socket that only the user of this process can connect to, from the moment when it is there."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > MAX_FRAME:
        raise Gone(f"a frame of {length} bytes")
    return await reader.readexactly(length)


def _write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(len(frame).to_bytes(4, "big") + frame)
