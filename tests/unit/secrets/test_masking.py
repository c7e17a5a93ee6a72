from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.secrets.masking import Masker, mask_within

SECRET = "p/ss+w0rd=ü\"'%"


@pytest.fixture
def masker() -> Masker:
    made = Masker()
    made.add(SECRET)
    return made


def test_a_value_is_masked_wherever_it_stands(masker: Masker) -> None:
    assert masker.mask(f"token={SECRET}; again {SECRET}") == "token=***; again ***"


@pytest.mark.parametrize(
    "shown",
    [
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
    ],
)
def test_common_encodings_of_a_value_are_masked(masker: Masker, shown: str) -> None:
    masked = masker.mask(f"before {shown} after")
    assert shown not in masked
    assert masked.startswith("before ***")


@pytest.mark.parametrize("user", ["", "u", "me", "abc"])
def test_a_secret_within_basic_credentials_is_masked(masker: Masker, user: str) -> None:
    credentials = base64.b64encode(f"{user}:{SECRET}".encode()).decode()
    masked = masker.mask(f"Basic {credentials}")
    assert credentials[6:-4] not in masked
    assert "***" in masked


def test_each_line_of_a_value_over_several_lines_is_masked() -> None:
    masker = Masker()
    masker.add("-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----")
    assert masker.mask("it said: abcdefghijkl!") == "it said: ***!"


def test_a_very_short_value_is_masked_as_a_word_only() -> None:
    masker = Masker()
    masker.add("42")
    assert masker.mask("the code is 42, not 142 or 4242") == "the code is ***, not 142 or 4242"


def test_the_longer_of_two_values_is_masked_whole() -> None:
    masker = Masker()
    masker.add("secret")
    masker.add("secret-and-more")
    assert masker.mask("secret-and-more") == "***"


def test_a_value_that_is_added_later_is_masked_too(masker: Masker) -> None:
    masker.mask("something")
    masker.add("another-value")
    assert masker.mask(f"{SECRET} another-value") == "*** ***"


def test_of_a_passing_value_the_last_two_of_each_owner_are_masked() -> None:
    masker = Masker()
    for number in range(5):
        masker.add_passing("crm", f"token-{number}")
        masker.add_passing("other", f"other-{number}")
        assert masker.mask(f"token-{number} other-{number}") == "*** ***"
    assert masker.mask("token-2 token-3 token-4 other-3") == "token-2 *** *** ***"
    other = Masker()
    other.learn(masker)
    assert other.mask("token-4") == "***"


def test_without_secrets_a_text_is_returned_as_it_is() -> None:
    masker = Masker()
    masker.add("")
    text = "nothing to hide"
    assert masker.mask(text) is text


def test_a_value_is_masked_within_a_json_value_which_stays_as_it_is(masker: Masker) -> None:
    value = {SECRET: [1, None, {"a": f"x {SECRET} y"}]}
    assert mask_within(value, masker.mask) == {"***": [1, None, {"a": "x *** y"}]}
    assert SECRET in value


def test_values_never_stand_in_the_repr(masker: Masker) -> None:
    assert SECRET not in repr(masker)
    assert "1 values" in repr(masker)


TEXT = st.characters(exclude_characters="*", exclude_categories=["Cs"])


@given(st.text(TEXT, min_size=4), st.text(TEXT), st.text(TEXT))
def test_no_text_shows_a_value_after_masking(value: str, before: str, after: str) -> None:
    masker = Masker()
    masker.add(value)
    masked = masker.mask(f"{before}{value}{after}")
    assert value not in masked
