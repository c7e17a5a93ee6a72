"""Tokens of OAuth 2 for one destination: fetched once for all who wait, kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode

from hookrt.egress.response import Answer
from hookrt.model.access import OAuthClient
from hookrt.plugin.protocols import HttpError

FETCH_S = 10.0
"""Seconds that a token request may take, whoever waits for it."""

UNSAID_LIFE_S = 300.0
"""Seconds for which a token is used whose answer does not say how long it is valid."""

MARGIN_S = 30.0
"""Seconds before its end that a token is used no more; a short-lived one loses a fifth of its life instead."""

FAILURE_REMEMBERED_S = 1.0
"""Seconds for which a failed token request is not repeated."""

REFUSED_REMEMBERED_S = 60.0
"""Seconds without another renewal once the endpoint refused a token that had just been renewed."""

MAX_TOKEN = 16 * 1024
"""Longest token, in characters; a server takes no longer header."""

_LONGEST_LIFE_S = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ERROR = re.compile(r"[a-z][a-z_]{0,63}")

Fetch = Callable[[str, dict[str, str], bytes], Awaitable[Answer]]
"""Posts a body with these headers to a URL; raises HttpError."""


class Tokens:
    """The token of one client. `remember` is told every token before anybody can show it."""

    def __init__(self, client: OAuthClient, fetch: Fetch, remember: Callable[[str], None]) -> None:
        self._client = client
        self._fetch = fetch
        self._remember = remember
        self._token: str | None = None
        self._ends = 0.0
        self._asked: asyncio.Task[str | HttpError] | None = None
        self._failure: tuple[float, HttpError] | None = None
        self._refused_until = 0.0

    async def get(self, deadline: float) -> str:
        """The token, fetched if there is none that is still good; raises HttpError `token`, or `timeout`."""
        now = monotonic()
        if self._token is not None and self._ends > now:
            return self._token
        if self._failure is not None and self._failure[0] > now:
            raise _again(self._failure[1])
        if self._asked is None:
            self._asked = asyncio.create_task(self._ask())
        return await _wait(self._asked, deadline, self._client.token_url)

    async def renew(self, refused: str, deadline: float) -> str | None:
        """Another token in place of one that the endpoint answered with 401; None where that would not help."""
        if self._token == refused:
            if monotonic() < self._refused_until:
                return None
            self._token = None
        return await self.get(deadline)

    def refuse_renewed(self) -> None:
        """The endpoint does not take a token that has just been renewed either: it is not its age."""
        self._refused_until = monotonic() + REFUSED_REMEMBERED_S

    @property
    def busy(self) -> bool:
        """Whether a token request is under way."""
        return self._asked is not None

    async def close(self) -> None:
        """Give up a request under way."""
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.gather(self._asked, return_exceptions=True)

    async def _ask(self) -> str | HttpError:
        try:
            answer = await self._fetch(self._client.token_url, *_request(self._client))
            token, life = _read(answer)
        except HttpError as error:
            failed = HttpError("token", f"no OAuth 2 token: {error.message}")
            self._failure = (monotonic() + FAILURE_REMEMBERED_S, failed)
            return failed
        finally:
            self._asked = None
        self._remember(token)
        self._token, self._failure = token, None
        self._ends = monotonic() + life - min(MARGIN_S, life / 5)
        return token


def _again(error: HttpError) -> HttpError:
    return HttpError(error.reason, error.message)


async def _wait(task: asyncio.Task[str | HttpError], deadline: float, url: str) -> str:
    try:  # shielded: whoever gives up leaves the request to the others
        found = await asyncio.wait_for(asyncio.shield(task), max(deadline - monotonic(), 0))
    except TimeoutError:
        raise HttpError("token", f"no OAuth 2 token: {url} did not answer in time") from None
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        raise HttpError("reset", "the runtime is stopping: nothing is sent any more") from None
    if isinstance(found, HttpError):
        raise _again(found)
    return found


def _request(client: OAuthClient) -> tuple[dict[str, str], bytes]:
    """Headers and body of a token request."""
    form = {"grant_type": "client_credentials"}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if client.scope is not None:
        form["scope"] = client.scope
    if client.audience is not None:
        form["audience"] = client.audience
    if client.style == "post":
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        headers["authorization"] = f"Basic {basic_credentials(client)}"
    return headers, urlencode(form).encode()


def basic_credentials(client: OAuthClient) -> str:
    """The client's name and secret as its authorization header has them (RFC 6749, section 2.3.1)."""
    together = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return base64.b64encode(together.encode()).decode("ascii")


def _read(answer: Answer) -> tuple[str, float]:
    """The token and its life in seconds; nothing of the answer is quoted, since it may hold a secret."""
    found = _json(answer)
    if answer.status_code != 200:
        code = found.get("error")
        told = f" ({code})" if isinstance(code, str) and _ERROR.fullmatch(code) else ""
        raise HttpError("token", f"the token endpoint answered {answer.status_code}{told}")
    token, kind = found.get("access_token"), found.get("token_type", "bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or len(token) > MAX_TOKEN:
        raise HttpError("token", "the token endpoint's answer has no `access_token` that a header can carry")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise HttpError("token", "the token endpoint gave a token of another type than Bearer")
    return token, _life(found.get("expires_in"))


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _life(written: Any) -> float:
    try:
        life = float(written)
    except (TypeError, ValueError):
        return UNSAID_LIFE_S
    return min(life, _LONGEST_LIFE_S) if life > 0 else UNSAID_LIFE_S
