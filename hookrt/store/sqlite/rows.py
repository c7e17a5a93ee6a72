"""Between the model and the rows of the database: one function for each direction and table.

The order of values is that of the statements in `queries.sql`.
"""

from __future__ import annotations

from hookrt.clock import from_us, to_us
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.store.codec import (
    decode_attributes,
    decode_exchange,
    decode_logs,
    decode_results,
    encode_attributes,
    encode_exchange,
    encode_logs,
    encode_results,
)
from hookrt.store.contract import NewDelivery, NewEvent, Recording
from hookrt.store.sqlite.connection import Row

EVENT_WIDTH = 12
"""How many values `read_event` takes."""

DELIVERY_WIDTH = 23
"""How many values `read_delivery` takes; the last four are event_seq, seq, the event's source and its id."""

_STATUS = {status.value: status for status in Status}
_PENDING, _RUNNING, _HELD = (status.value for status in (Status.PENDING, Status.RUNNING, Status.HELD))


def event_values(new: NewEvent) -> Row:
    """A new event without its number."""
    event = new.event
    return (
        event.id,
        event.source,
        event.type,
        event.subject,
        to_us(event.time),
        new.received_us,
        event.content_type,
        int(event.binary),
        encode_attributes(event.attributes),
        new.digest,
        event.cause,
        event.depth,
        event.content,
    )


def delivery_values(new: NewDelivery, now_us: int) -> Row:
    """A new delivery without its number and its event's."""
    lease = new.lease
    if new.held:
        status, lease = _HELD, None
    elif new.keys is not None:
        status, lease = _PENDING, None
    else:
        status = _RUNNING if lease else _PENDING
    return (
        new.id,
        new.hook,
        new.origin,
        new.lane,
        status,
        new.due_us,
        now_us,
        now_us,
        new.expires_us,
        encode_results(new.results),
        None,  # the order key, which comes when its place is decided
        new.replay_of,
        new.salt,
        *((lease.owner, lease.token, lease.until_us) if lease else (None, 0, 0)),
    )


def recording_values(recording: Recording) -> Row:
    """What a recording changes of its delivery, without its number."""
    lease = recording.lease
    return (
        recording.status.value,
        recording.lane,
        recording.due_us,
        recording.at_us,
        encode_results(recording.new_results),
        recording.attempts,
        recording.step_attempts,
        recording.failed_steps,
        recording.reason,
        *((lease.owner, lease.token, lease.until_us) if lease else (None, 0, 0)),
    )


def attempt_values(attempt: Attempt) -> Row:
    """An attempt without its delivery's number."""
    return (
        attempt.number,
        attempt.step,
        attempt.started_us,
        attempt.duration_us,
        attempt.outcome,
        attempt.reason,
        attempt.message,
        encode_logs(attempt.logs),
        encode_exchange(attempt.exchange),
    )


def read_event(row: Row) -> Event:
    """The event of the columns `event`."""
    return Event(
        id=row[0],
        source=row[1],
        type=row[2],
        subject=row[3],
        time=from_us(row[4]),
        content_type=row[6],
        binary=bool(row[7]),
        attributes=decode_attributes(row[8]),
        cause=row[9],
        depth=row[10],
        content=row[11],
    )


def read_delivery(row: Row) -> Delivery:
    """The delivery of the columns `delivery`."""
    return Delivery(
        id=row[0],
        hook=row[1],
        lane=row[2],
        status=_STATUS[row[3]],
        created_us=row[4],
        due_us=row[5],
        expires_us=row[6],
        origin=row[7],
        results=decode_results(row[8]),
        attempts=row[9],
        step_attempts=row[10],
        failed_steps=row[11],
        reason=row[12],
        updated_us=row[13],
        order_key=row[14],
        replay_of=row[15],
        salt=row[16],
        lease_token=row[17],
        tried=row[18],
        event_source=row[21],
        event_id=row[22],
    )


def read_attempt(row: Row) -> Attempt:
    """The attempt of the query `attempts`."""
    return Attempt(
        number=row[0],
        step=row[1],
        started_us=row[2],
        duration_us=row[3],
        outcome=row[4],
        reason=row[5],
        message=row[6],
        logs=decode_logs(row[7]),
        exchange=decode_exchange(row[8]),
    )
