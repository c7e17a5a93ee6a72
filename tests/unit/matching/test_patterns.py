"""RULES, "The file", Patterns."""

from __future__ import annotations

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.patterns import check_pattern, matches


@pytest.mark.parametrize(
    ("pattern", "event_type", "expected"),
    [
        ("User.Created", "User.Created", True),
        ("User.Created", "User.created", False),
        ("User.*", "User.Created", True),
        ("User.*", "User.Data.Updated", False),
        ("User.*", "User", False),
        ("*.Created", "Role.Created", True),
        ("*.*.Updated", "User.Data.Updated", True),
        ("*", "PostSignIn", True),
        ("*", "User.Created", False),
        ("User.**", "User.Created", True),
        ("User.**", "User.Data.Updated", True),
        ("User.**", "User", False),
        ("User.**", "Users.Created", False),
        ("*.Data.**", "User.Data.Updated", True),
        ("**", "User.Data.Updated", True),
        ("**", "PostSignIn", True),
    ],
)
def test_a_star_is_one_segment_and_two_are_one_or_more(pattern: str, event_type: str, expected: bool) -> None:
    check_pattern(pattern)
    assert matches(pattern, event_type) is expected


@pytest.mark.parametrize("pattern", ["**", "*.**", "*.delivery.dead", "*.*.*"])
def test_patterns_not_beginning_with_hookrt_do_not_match_hookrts_own_types(pattern: str) -> None:
    assert not matches(pattern, "hookrt.delivery.dead")


@pytest.mark.parametrize("pattern", ["hookrt.**", "hookrt.delivery.*", "hookrt.*.dead", "hookrt.delivery.dead"])
def test_only_patterns_whose_first_segment_is_hookrt_match_hookrts_own_types(pattern: str) -> None:
    assert matches(pattern, "hookrt.delivery.dead")


@pytest.mark.parametrize(
    ("pattern", "column", "said"),
    [
        ("", None, "empty"),
        ("User.**.Created", 6, "last segment"),
        ("User.Cre*", 9, "whole segment"),
        ("***", 1, "whole segment"),
        ("User..Created", 6, "empty segment"),
        ("User.", 6, "empty segment"),
        (".User", 1, "empty segment"),
        ("User Created", 5, "spaces"),
        ("User\tCreated", 5, "control"),
        ("U" * 256, None, "255"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_its_column(pattern: str, column: int | None, said: str) -> None:
    with pytest.raises(ExpressionError, match=said) as caught:
        check_pattern(pattern)
    assert caught.value.column == column
