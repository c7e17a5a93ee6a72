"""The statements of the reader, the same in both databases but for the length of a text and the marks of values."""

from __future__ import annotations

from hookrt.outbox.reading import MOST_BYTES, MOST_ROWS
from hookrt.outbox.row import MAX_DATA
from hookrt.outbox.table import TABLE


def portion_query(size: str) -> str:
    """The rows of the next portion; `size` is the expression for the bytes of `data`.

    What is too large to be taken is not even sent.
    """
    waiting = f"SELECT *, {size} AS size FROM {TABLE} WHERE refused IS NULL ORDER BY position LIMIT {MOST_ROWS}"  # noqa: S608
    summed = f"SELECT *, sum(size) OVER (ORDER BY position) - size AS before FROM ({waiting}) AS waiting"  # noqa: S608
    data = f"CASE WHEN size <= {MAX_DATA} THEN data END"
    return (
        f"SELECT position, id, type, {data}, subject, time, size FROM ({summed}) AS summed "  # noqa: S608
        f"WHERE before < {MOST_BYTES} ORDER BY position"
    )
