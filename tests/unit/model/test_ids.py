"""Identifiers: those that sort by time, and those that a repetition makes again."""

import base64
import hashlib
import random
import re

from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.ids import IdSource, emitted_event_id, message_id

names = st.text(max_size=20)


def test_ids_sort_by_the_time_of_their_making():
    now = [0]
    ids = IdSource(lambda: now[0])
    made = []
    for now[0] in (0, 1_000, 2_000, 1_735_732_800_000_000, 1_735_732_800_001_000, 4_102_444_800_000_000):
        made.append(ids.new("evt"))
    assert made == sorted(made)


def test_an_id_is_its_prefix_and_26_characters_without_i_l_o_u():
    made = IdSource(lambda: 1_735_732_800_000_000).new("dlv")
    assert re.fullmatch(r"dlv_[0-9a-hjkmnp-tv-z]{26}", made)


def test_an_id_is_time_and_random_bits_in_base32():
    assert IdSource(lambda: 0, lambda bits: 33).new("evt") == "evt_" + "0" * 24 + "11"
    assert IdSource(lambda: 32_000, lambda bits: 0).new("evt") == "evt_" + "0" * 8 + "10" + "0" * 16
    assert IdSource(lambda: ((1 << 48) - 1) * 1000, lambda bits: (1 << bits) - 1).new("evt") == "evt_7" + "z" * 25


def test_a_seeded_source_repeats_itself():
    def source():
        return IdSource(lambda: 1_000_000, random.Random(7).getrandbits)

    first, second = source(), source()
    assert [first.new("evt") for _ in range(5)] == [second.new("evt") for _ in range(5)]
    assert first.token() == second.token()


def test_ids_of_the_same_microsecond_differ():
    ids = IdSource(lambda: 1_000_000)
    assert len({ids.new("evt") for _ in range(1000)}) == 1000


def test_a_token_is_a_number_that_every_store_can_keep():
    ids = IdSource(lambda: 0)
    assert all(0 <= ids.token() < 2**63 for _ in range(100))


def test_the_message_id_is_msg_and_base32_of_sha256():
    made = message_id("app", "e1", "welcome", "webhook")
    assert re.fullmatch(r"msg_[a-z2-7]{52}", made)
    prefixed = b"".join(len(name).to_bytes(8, "big") + name for name in (b"app", b"e1", b"welcome", b"webhook"))
    assert made == "msg_" + base64.b32encode(hashlib.sha256(prefixed).digest()).decode().rstrip("=").lower()


@given(names, names, names, names)
def test_the_message_id_is_equal_over_retries_and_replays(source, event, hook, step):
    assert message_id(source, event, hook, step) == message_id(source, event, hook, step, salt="")


@given(st.lists(names, min_size=4, max_size=5), st.lists(names, min_size=4, max_size=5))
def test_length_prefixes_keep_different_names_apart(one, other):
    def known(parts):
        return tuple(parts) if len(parts) > 4 and parts[4] else tuple(parts[:4])

    assert (message_id(*one) == message_id(*other)) == (known(one) == known(other))


def test_moving_a_character_between_names_makes_another_message_id():
    made = {message_id("ab", "c", "h", "s"), message_id("a", "bc", "h", "s"), message_id("a", "b", "ch", "s")}
    assert len(made) == 3


def test_a_salt_makes_a_new_message_id():
    assert message_id("a", "b", "h", "s", "1") != message_id("a", "b", "h", "s")
    assert message_id("a", "b", "h", "s", "1") != message_id("a", "b", "h", "s", "2")


def test_an_emitted_event_has_the_same_id_when_its_attempt_is_repeated():
    assert emitted_event_id("dlv_1", "fan", 0) == emitted_event_id("dlv_1", "fan", 0)
    others = [("dlv_2", "fan", 0), ("dlv_1", "fan2", 0), ("dlv_1", "fan", 1), ("dlv_1", "fan", 10)]
    assert len({emitted_event_id(*other) for other in [("dlv_1", "fan", 0), *others]}) == 5
    assert emitted_event_id("dlv_1", "fan", 0).startswith("evt_")
