"""Bodies are counted while they come, and never gathered without bounds."""

import asyncio

import pytest

from hookrt.errors import EventTooLarge, Overloaded
from hookrt.web.body import BodyReader, ClientGone
from hookrt.web.problem import Refusal


class Pieces:
    """An ASGI receive that hands over these pieces, then keeps silent."""

    def __init__(self, *pieces: bytes | None, more: bool = False) -> None:
        self.left = list(pieces)
        self.more = more
        self.given = 0

    async def __call__(self):
        if not self.left:
            await asyncio.Event().wait()
        piece = self.left.pop(0)
        self.given += 1
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(self.left) or self.more}


def read(receive, head=None, limit=10, reader=None):
    return asyncio.run((reader or BodyReader()).read(head or {}, receive, limit))


def test_a_body_is_joined():
    assert read(Pieces(b"ab", b"", b"cd")) == b"abcd"
    assert read(Pieces(b"abcd")) == b"abcd"
    assert read(Pieces(b"")) == b""


@pytest.mark.parametrize("pieces", [(b"x" * 11,), (b"x" * 6, b"x" * 5)])
def test_a_body_above_the_limit_is_too_large(pieces):
    with pytest.raises(EventTooLarge):
        read(Pieces(*pieces))


def test_a_body_is_counted_while_it_comes():
    endless = Pieces(*[b"x" * 4] * 100, more=True)
    with pytest.raises(EventTooLarge):
        read(endless)
    assert endless.given == 3


def test_a_declared_length_above_the_limit_is_refused_before_reading():
    silent = Pieces()
    with pytest.raises(EventTooLarge):
        read(silent, {b"content-length": b"11"})
    with pytest.raises(EventTooLarge):
        read(silent, {b"content-length": b"9" * 10_000})
    assert silent.given == 0


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"GZIP, identity"])
def test_a_compressed_body_is_refused_with_a_sentence(encoding):
    with pytest.raises(Refusal, match="compressed") as caught:
        read(Pieces(b"x"), {b"content-encoding": encoding})
    assert caught.value.document.status == 415


def test_an_identity_encoding_is_none():
    assert read(Pieces(b"x"), {b"content-encoding": b"identity"}) == b"x"


def test_a_client_that_leaves_is_gone():
    for leaving in (Pieces(None), Pieces(b"x", None)):
        with pytest.raises(ClientGone):
            read(leaving)


def test_all_unfinished_bodies_together_are_bounded():
    async def run() -> None:
        reader = BodyReader(max_under_way=10)
        first = asyncio.create_task(reader.read({}, Pieces(b"x" * 8, more=True), 100))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await reader.read({}, Pieces(b"x" * 8, b"x"), 100)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert await reader.read({}, Pieces(b"x" * 8, b"x"), 100) == b"x" * 9

    asyncio.run(run())
