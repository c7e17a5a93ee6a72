"""What a sender wrote becomes a type, an id, a subject or a time only as far as an event can have it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.event import check_type
from hookrt.plugin import Refused
from hookrt.sources.reading import as_sent, at, first_name, moment_of, name_of, type_of


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("pull_request", "opened"), "pull_request.opened"),
        (("push", None), "push"),
        (("push", 7, ["x"]), "push"),
        (("a b*", "c\n.d"), "a_b_.c_.d"),
        ((".a..b.", "."), "a.b"),
        (("é",), "é"),
        (("x" * 254, "y"), "x" * 254),
    ],
)
def test_a_type_is_made_of_the_words_that_are_texts(words, name):
    assert type_of(*words) == name


@given(st.lists(st.text(st.characters(), max_size=300) | st.none() | st.integers(), max_size=4))
def test_a_type_is_always_one_that_an_event_can_have(words):
    try:
        found = type_of(*words)
    except Refused as refused:
        assert refused.reason == "malformed"  # noqa: PT017 - whether it is raised is not the question
    else:
        check_type(found)


def test_a_name_is_taken_whole_or_not_at_all():
    assert name_of("octo/hello é") == "octo/hello é"
    assert [name_of(value) for value in ("", "x" * 256, "a\nb", "\ud800", 5, None, ["a"])] == [None] * 7
    assert first_name(None, "", 5, "a\x00", "first", "second") == "first"


def test_a_path_that_leads_nowhere_is_none():
    assert at({"a": {"b": 1}}, "a", "b") == 1
    assert [at(value, "a", "b") for value in ({}, {"a": []}, {"a": None}, [], "a", 5)] == [None] * 6


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1686089970, datetime(2023, 6, 6, 22, 19, 30, tzinfo=UTC)),
        (1.5, datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=UTC)),
        ("2023-06-06T22:19:30Z", datetime(2023, 6, 6, 22, 19, 30, tzinfo=UTC)),
        ("2023-06-07T00:19:30+02:00", datetime(2023, 6, 6, 22, 19, 30, tzinfo=UTC)),
        ("2023-06-06T22:19:30", None),
        ("0001-01-01T00:00:00+14:00", None),
        *((value, None) for value in (True, -1, 10**400, 1e300, float("nan"), "", "soon", None, [], {})),
    ],
)
def test_a_time_is_one_that_an_event_can_have_or_none(value, moment):
    assert moment_of(value) == moment


def test_a_header_gives_back_the_bytes_that_came():
    assert as_sent("pässwörd".encode().decode("latin-1")) == "pässwörd".encode()
    assert as_sent("€") == "€".encode()
