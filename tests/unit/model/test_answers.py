"""Which statuses are a success, and which failures are worth another try: the words, and what they cover."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.answers import (
    CONNECT_REASONS,
    NEVER_RETRIED,
    RETRY_WORDS,
    SUCCESS,
    AnswerWordError,
    read_retry_on,
    read_statuses,
)


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [("2xx", {200, 250, 299}, {199, 300}), ("404", {404}, {403, 405}), ("200-204", {200, 202, 204}, {199, 205})],
)
def test_a_status_is_a_class_a_code_or_a_range(word, inside, outside):
    found = read_statuses(word)
    assert inside <= found
    assert not outside & found


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("2XX", "'2XX' is no status", "did you mean '2xx'?"),
        ("5x", "'5x' is no status", "did you mean '5xx'?"),
        ("6xx", "'6xx' is no status", None),
        ("99", "'99' is no status", "write it like 2xx, 404 or 200-204"),
        ("204-200", "'204-200' ends before it begins", "did you mean '200-204'?"),
        ("timeout", "'timeout' is a failure, not a status", "write a status, like 2xx, 404 or 200-204"),
        ("", "'' is no status", "write it like 2xx, 404 or 200-204"),
        ("٤٠٤", "'٤٠٤' is no status", "write it like 2xx, 404 or 200-204"),  # digits of another script
    ],
)
def test_what_is_no_status_is_said_with_what_was_meant(word, said, hint):
    with pytest.raises(AnswerWordError) as raised:
        read_statuses(word)
    assert raised.value.message == said
    assert raised.value.hint == hint if hint else raised.value.hint


def test_connect_stands_for_dns_refused_reset_tls():
    assert read_retry_on(["connect"]).reasons == CONNECT_REASONS == {"dns", "refused", "reset", "tls"}
    assert read_retry_on(["dns", "timeout"]).reasons == {"dns", "timeout"}


def test_retry_on_takes_classes_codes_ranges_and_failures_together():
    listed = read_retry_on(["5xx", "429", "408", "timeout", "connect"])
    for status, reason in [(500, "status"), (599, "status"), (429, "status"), (408, "status"), (0, "refused")]:
        assert listed.covers(status, reason)
    for status, reason in [(404, "status"), (302, "redirect"), (0, "too-large"), (0, "protocol")]:
        assert not listed.covers(status, reason)
    assert read_retry_on(["redirect"]).covers(302, "redirect")
    assert read_retry_on(["3xx"]).covers(302, "redirect")


def test_410_is_covered_only_where_it_is_written_out():
    assert 410 not in read_retry_on(["4xx", "400-499"]).statuses
    assert 410 in read_retry_on(["4xx", "410"]).statuses


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("timout", "'timout' is no status and no failure", "did you mean 'timeout'?"),
        ("conect", "'conect' is no status and no failure", "did you mean 'connect'?"),
        ("toolarge", "'toolarge' is no status and no failure", "did you mean 'too-large'?"),
        ("status", "'status' does not say which", "write the statuses, like 5xx, 429 or 500-503"),
    ],
)
def test_what_is_no_failure_is_said_with_what_was_meant(word, said, hint):
    with pytest.raises(AnswerWordError) as raised:
        read_retry_on(["5xx", word])
    assert (raised.value.message, raised.value.hint) == (said, hint)


@pytest.mark.parametrize("word", sorted(NEVER_RETRIED))
def test_a_failure_that_another_try_cannot_change_cannot_be_listed(word):
    with pytest.raises(AnswerWordError, match="is never tried again"):
        read_retry_on([word])


@given(st.text(max_size=100))
def test_any_word_is_read_or_refused_in_a_short_sentence(word):
    refusals = []
    for read in (read_statuses, lambda one: read_retry_on([one])):
        try:
            read(word)
        except AnswerWordError as error:
            refusals.append(error.message)
    assert all(len(message) < 200 for message in refusals)


def test_success_is_2xx_unless_somebody_says_otherwise():
    assert read_statuses("2xx") == SUCCESS
    assert not set(RETRY_WORDS) & NEVER_RETRIED
