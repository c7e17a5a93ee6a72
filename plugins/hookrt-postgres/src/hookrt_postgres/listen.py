"""The source `postgres_listen`: notifications of PostgreSQL as events."""

from __future__ import annotations

import json
from typing import Annotated, Any

import psycopg
from psycopg import sql
from pydantic import AfterValidator, Field

from hookrt.plugin import EventError, Overloaded, Settings, Source, SourceRun, StoreError
from hookrt_postgres.database import DatabaseUrl, connect, read_url

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the next connection; the last one repeats, and a connection that worked begins anew."""

STORE_PAUSE_S = 1.0
"""The wait before an event is stored once more that the store did not take."""


def _check_channel(name: str) -> str:
    if not 0 < len(name.encode("utf-8", "replace")) < 64 or not name.isprintable():
        raise ValueError("a channel has a name of 1 to 63 bytes, like `orders`")
    return name


class ListenSettings(Settings):
    """Where to listen, and what events the notifications are."""

    url: DatabaseUrl = Field(
        description="The database: postgresql://USER:PASSWORD@HOST/DATABASE, best as ${{ secrets.NAME }}"
    )
    channels: list[Annotated[str, AfterValidator(_check_channel)]] = Field(
        min_length=1, max_length=100, description="The channels; NOTIFY makes names lower case that have no quotes"
    )
    types: dict[str, str] = Field(
        default_factory=dict, description="Event types by channel; otherwise the channel's name is the type"
    )


class PostgresListen(Source[ListenSettings]):
    """Notifications of PostgreSQL (NOTIFY, pg_notify) as events; those that come while nobody listens are lost."""

    name = "postgres_listen"

    def types(self, settings: ListenSettings) -> list[str]:
        """One for each channel."""
        return [settings.types.get(channel, channel) for channel in settings.channels]

    async def run(self, source: SourceRun[ListenSettings]) -> None:
        """Listen, over as many connections as it takes."""
        database = read_url(source.settings.url.get_secret_value())
        failures = 0
        while True:
            try:
                async with await connect(database, autocommit=True) as connection:
                    await connection.execute(_listen(source.settings.channels))
                    source.log.info("postgres-listening", source=source.name, channels=source.settings.channels)
                    source.report.connected()
                    failures = 0
                    async for one in connection.notifies():
                        await _take(one, source)
            except psycopg.Error as error:
                pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
                failures += 1
                told = database.hide(str(error)).strip()
                source.report.away(told)
                source.log.warning("postgres-away", source=source.name, error=told, again_in_s=pause)
                await source.clock.sleep(pause)


def _listen(channels: list[str]) -> sql.Composed:
    """All channels in one go, so that no notification comes between two of them."""
    return sql.SQL("; ").join(sql.SQL("LISTEN {}").format(sql.Identifier(one)) for one in dict.fromkeys(channels))


async def _take(notify: psycopg.Notify, source: SourceRun[ListenSettings]) -> None:
    """Store the event, as often as it takes; one that is not acceptable is named in the log and passed over."""
    while True:
        try:
            await source.emit(source.settings.types.get(notify.channel, notify.channel), data_of(notify.payload))
        except EventError as error:
            source.log.error(
                "postgres-notification-refused", source=source.name, channel=notify.channel, why=str(error)
            )
            source.report.refused("malformed")
            return
        except (Overloaded, StoreError) as error:
            pause = error.retry_after.total_seconds() if isinstance(error, Overloaded) else STORE_PAUSE_S
            source.log.warning("postgres-notification-put-off", source=source.name, why=str(error), again_in_s=pause)
            await source.clock.sleep(pause)
        else:
            return


def data_of(payload: str) -> Any:
    """The payload as it is where it is JSON, else as a text; None for none."""
    if not payload:
        return None
    try:
        json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return payload
    return payload.encode()


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
