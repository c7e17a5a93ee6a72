"""The header Idempotency-Key: what is a key, and what it makes of events."""

import pytest

from hookrt.model.event import EventDraft
from hookrt.web.idempotency import identify, read_key
from hookrt.web.problem import Refusal


def key_of(*values: bytes) -> str:
    return read_key([(b"host", b"x"), *((b"idempotency-key", value) for value in values)])


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'"8e03978e-40d5"', "8e03978e-40d5"),
        (b"8e03978e-40d5", "8e03978e-40d5"),
        (b'"a \\"b\\" \\\\ c"', 'a "b" \\ c'),
        (b"order-17/a;b=c", "order-17/a;b=c"),
        (b'"order 17"', "order 17"),
        (b'  "padded"\t', "padded"),
        (b"x" * 255, "x" * 255),
    ],
)
def test_a_key_is_a_quoted_text_or_a_bare_one(value, key) -> None:
    assert key_of(value) == key


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([b""], "empty"),
        ([b'""'], "empty"),
        ([b'"  "'], "empty"),
        ([b"x" * 256], "256 characters"),
        ([b'"' + b"x" * 256 + b'"'], "256 characters"),
        ([b"a\x01b"], "visible ASCII"),
        ([b"a\x7f"], "visible ASCII"),
        ([b"a b"], "visible ASCII"),
        (["schlüssel".encode()], "visible ASCII"),
        ([b'"a'], "quotes"),
        ([b'"a" b'], "quotes"),
        ([b'"a\\n"'], "quotes"),
        ([b"a", b"a"], "twice"),
    ],
)
def test_a_bad_key_is_refused_with_a_problem_that_says_why(values, why) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        key_of(*values)
    assert refused.value.document.status == 400
    assert refused.value.document.kind == "idempotency-key-invalid"


def test_the_key_is_the_id_of_an_event_without_one_and_the_bodys_id_wins() -> None:
    [bare] = identify([EventDraft("A")], "k", batch=False)
    [named] = identify([EventDraft("A", id="own")], "k", batch=False)
    assert (bare.id, named.id) == ("k", "own")


def test_in_a_batch_each_place_has_an_id_of_its_own_that_is_the_same_every_time() -> None:
    drafts = [EventDraft("A"), EventDraft("A", id="own"), EventDraft("A")]
    first, again, other = (identify(drafts, key, batch=True) for key in ("k", "k", "l"))
    ids = [draft.id for draft in first]
    assert ids[1] == "own"
    assert len({*ids, *(draft.id for draft in other)}) == 5
    assert [draft.id for draft in again] == ids
    assert all(len(one) <= 255 for one in ids)
