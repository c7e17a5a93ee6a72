"""Names to addresses: asked of the system, briefly remembered, one question under way for each name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from hookrt.egress.ranges import Address, canonical
from hookrt.plugin.protocols import HttpError

REMEMBERED_S = 30.0
"""Seconds for which an answer is used without asking again."""

FAILURE_REMEMBERED_S = 1.0
"""Seconds for which a failed question is not asked again."""

MAX_NAMES = 20_000
"""Most names that are remembered; the least recently asked ones go first."""

MAX_QUESTIONS = 32
"""Most questions to the system under way at once: each holds a thread while a server is silent."""

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the addresses of a name as texts, best first; raises OSError when it has none."""


class Addresses:
    """The addresses of a name, and which of them is in use. `expires` is on the monotonic clock."""

    __slots__ = ("addresses", "expires", "texts", "used")

    def __init__(self, addresses: Sequence[Address], expires: float) -> None:
        self.addresses = tuple(addresses)
        self.texts = tuple(str(canonical(address)) for address in addresses)
        self.expires = expires
        self.used = 0

    @property
    def address(self) -> str:
        """The address in use."""
        return self.texts[self.used]

    def leave(self, address: str) -> None:
        """Use the next address, if this one still is the one in use: nothing answers there."""
        if self.address == address:
            self.used = (self.used + 1) % len(self.texts)

    def keep(self, older: Addresses | None) -> None:
        """Stay with the address that an older answer used, so that a rotating answer moves nobody."""
        if older is not None and older.address in self.texts:
            self.used = self.texts.index(older.address)


class Names:
    """Remembers answers for half a minute and failures for a second."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolve = resolver or ask_system
        self._answers: OrderedDict[str, Addresses] = OrderedDict()
        self._failures: dict[str, tuple[float, str]] = {}
        self._asked: dict[str, asyncio.Task[Addresses | HttpError]] = {}
        self._places = asyncio.Semaphore(MAX_QUESTIONS)

    def remembered(self, name: str, now: float) -> Addresses | None:
        """The answer if it is fresh enough to be used at once."""
        answer = self._answers.get(name)
        return answer if answer is not None and answer.expires > now else None

    async def ask(self, name: str, deadline: float) -> Addresses:
        """The addresses of a name; raises HttpError, `dns` without any and `timeout` past the deadline."""
        failure = self._failures.get(name)
        if failure is not None and failure[0] > monotonic():
            raise HttpError("dns", failure[1])
        task = self._asked.get(name)
        if task is None:
            task = self._asked[name] = asyncio.create_task(self._question(name))
        try:  # shielded: whoever gives up leaves the question to the others
            found = await asyncio.wait_for(asyncio.shield(task), max(deadline - monotonic(), 0))
        except TimeoutError:
            raise HttpError("timeout", f"the name {name} was not resolved in time (connect timeout)") from None
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            raise HttpError("reset", "the runtime is stopping: nothing is sent any more") from None
        if isinstance(found, HttpError):
            raise HttpError(found.reason, found.message)
        return found

    async def close(self) -> None:
        """Give up every question."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _question(self, name: str) -> Addresses | HttpError:
        try:
            async with self._places:
                texts = await self._resolve(name)
            addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]  # without a zone
            if not addresses:
                raise OSError("it has no address")
        except (OSError, ValueError) as error:  # UnicodeError, of names that no resolver takes, is a ValueError
            return self._remember_failure(name, error)
        finally:
            del self._asked[name]
        return self._remember(name, addresses)

    def _remember(self, name: str, addresses: list[Address]) -> Addresses:
        self._failures.pop(name, None)
        answer = Addresses(addresses, monotonic() + REMEMBERED_S)
        answer.keep(self._answers.pop(name, None))
        self._answers[name] = answer
        if len(self._answers) > MAX_NAMES:
            self._answers.popitem(last=False)
        return answer

    def _remember_failure(self, name: str, error: Exception) -> HttpError:
        why = error.args[1] if isinstance(error, socket.gaierror) and len(error.args) > 1 else str(error)
        message = f"the name {name} has no address: {why}"
        now = monotonic()
        if len(self._failures) >= MAX_NAMES:
            self._failures = {key: kept for key, kept in self._failures.items() if kept[0] > now}
        self._failures[name] = (now + FAILURE_REMEMBERED_S, message)
        return HttpError("dns", message)


async def ask_system(name: str) -> Sequence[str]:
    """Ask the system's own resolver, in a thread of its own.

    The thread is a daemon, so that a silent name server holds up neither the other names nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()
    threading.Thread(target=_look_up, args=(name, loop, answer), name="hookrt-dns", daemon=True).start()
    return await answer


def _look_up(name: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Sequence[str]]) -> None:
    found: Sequence[str] | Exception
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    except (OSError, ValueError) as error:
        found = error
    try:
        loop.call_soon_threadsafe(_deliver, answer, found)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _deliver(answer: asyncio.Future[Sequence[str]], found: Sequence[str] | Exception) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
