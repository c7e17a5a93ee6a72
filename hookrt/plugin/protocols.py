"""What an action or a source is handed: the way out, the secrets, a little memory, a log.

These are promises only; the rooms that keep them are wired together where the runtime is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import httpx

    from hookrt.model.access import Access
    from hookrt.model.attempt import Exchange


HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What the name of a header matches as a whole."""

BAD_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What stands in no value of a header: line breaks and other control characters."""

FRAMING_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say where a message ends or goes, in lower case; the client sets them, and nobody by hand."""

RESERVED_PREFIXES = ("proxy-", "webhook-")
"""How headers begin, in lower case, that are between us and a proxy or belong to the Standard Webhooks."""


class HttpError(Exception):
    """A request got no usable answer.

    `reason` is one of `dns`, `refused`, `reset`, `tls`, `timeout`, `too-large`, `blocked-address`, `bad-url`,
    `bad-request` (a method or a header that cannot be sent), `protocol`, `token` (there is no OAuth 2 token); or, where
    nothing is sent since the endpoint is to be left alone now, `breaker-open`, `lane-resting`, `rate-limited`. An
    action that lets it pass gets `Outcome.retry(reason)`, or a reject for `blocked-address`, `bad-url` and
    `bad-request`; one that sent nothing else is put off without an attempt for the last three.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def permanent(self) -> bool:
        """Whether trying again cannot help."""
        return self.reason in {"blocked-address", "bad-url", "bad-request"}


class Response(Protocol):
    """An answer, read to its end within the limits."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case; repeated ones joined by commas."""
        ...

    @property
    def content(self) -> bytes:
        """The decoded body."""
        ...

    @property
    def text(self) -> str:
        """The body as text, by its declared charset or UTF-8, never failing."""
        ...

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        ...


class Http(Protocol):
    """The one way out: guarded addresses, no redirects, no proxies from the environment, bounded answers.

    The last exchange is recorded, with secrets masked, in the attempt.
    """

    async def send(  # noqa: PLR0913 - httpx's own shape
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        json: Any = ...,
        params: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        access: Access | None = None,
    ) -> Response:
        """Send one request and read the answer, up to 1 MiB of it; raises HttpError.

        `json` is encoded and sets the content type. `timeout` can only shorten the attempt's own. `access` is that of
        the `Destination` to which the URL belongs, None for most: its certificate, its proxy, its OAuth 2 token.
        """
        ...

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """The addresses that a connection of another protocol (SMTP, say) may be opened to, best first.

        They are judged as those of a request; connect to one of them, and do not look the host up again. `written`
        says that somebody wrote the host out, where no expression made it: then it may be local too. Raises HttpError
        with `dns`, `timeout`, `blocked-address` or `bad-url` (this is no host).
        """
        ...

    @property
    def client(self) -> httpx.AsyncClient:
        """An httpx client on the same guard and limits, for those who know httpx."""
        ...

    @property
    def exchange(self) -> Exchange | None:
        """The last request and its answer, as they will be recorded."""
        ...


class Secrets(Protocol):
    """A provider of secrets by name."""

    def get(self, name: str) -> str | None:
        """The secret's value, None where this provider does not have it."""
        ...


class CallSecrets(Secrets, Protocol):
    """The secrets that the service has, for one call; every value that is given out is masked in what is recorded."""

    def require(self, name: str) -> str:
        """The secret's value; raises SecretMissing, which names it and says where to put it."""
        ...


class StateError(Exception):
    """The state does not take this; `reason` is `bad-key`, `bad-value`, `too-large`, `full` or `contended`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class State(Protocol):
    """A little memory that survives a crash: JSON values by key, for one action in one hook.

    A key has 1 to 255 characters, a value at most 64 KiB as JSON, and there are at most 1,000 of them; StateError says
    which of these does not hold. None stands for no value: to store it is to delete. What is stored counts at once,
    also when the attempt fails later.
    """

    async def get(self, key: str, default: Any = None) -> Any:
        """The stored value, or the default when there is none or its time is over."""
        ...

    async def set(self, key: str, value: Any, ttl: timedelta | None = None) -> None:
        """Store a value, for `ttl` from now where one is given."""
        ...

    async def delete(self, key: str) -> None:
        """Forget it."""
        ...

    async def compare_and_set(self, key: str, expected: Any, value: Any, ttl: timedelta | None = None) -> bool:
        """Store a value where exactly `expected` is stored now (None: nothing); False when something else is.

        Of any number of processes that try at once, one succeeds. 1 and 1.0 are not the same here.
        """
        ...

    async def add(self, key: str, amount: float = 1, ttl: timedelta | None = None) -> int | float:
        """Add to a number, which is 0 where there is none, and give the sum; no addition gets lost."""
        ...


class Provisions(Protocol):
    """What calls may ask for beside what they are handed."""

    @property
    def secrets(self) -> CallSecrets:
        """The secrets, as they are now."""
        ...

    def state_of(self, hook: str, action: str) -> State:
        """The memory of this action in this hook."""
        ...


class Patience(Protocol):
    """The time limit of an attempt, for an action that first has to wait for a place of its own."""

    def hold(self) -> None:
        """The attempt waits: its time does not run, for an hour at most."""
        ...

    def begin(self) -> None:
        """It begins now, with all of its time."""
        ...


class Log(Protocol):
    """A structured log: an event in a few words, and fields."""

    def debug(self, event: str, **fields: Any) -> None:
        """For those who look closely."""
        ...

    def info(self, event: str, **fields: Any) -> None:
        """What happened."""
        ...

    def warning(self, event: str, **fields: Any) -> None:
        """What somebody should look at."""
        ...

    def error(self, event: str, **fields: Any) -> None:
        """What somebody must look at."""
        ...
