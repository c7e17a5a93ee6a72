"""Cursors and limits of lists."""

import pytest

from hookrt.errors import UsageError
from hookrt.store.cursor import MAX_PAGE, before, page_size


def test_a_list_begins_with_the_newest_and_goes_on_below_the_cursor() -> None:
    assert before(None) == 2**63 - 1
    assert before("42") == 42


@pytest.mark.parametrize("cursor", ["", "abc", "-1", "1 ", "١", str(2**63), "9" * 50])
def test_what_is_no_cursor_is_refused_and_shown_short(cursor) -> None:
    with pytest.raises(UsageError) as raised:
        before(cursor)
    assert len(str(raised.value)) < 150


def test_a_page_has_a_size_within_bounds() -> None:
    assert [page_size(limit) for limit in (-1, 0, 1, 50, MAX_PAGE, 10**9)] == [1, 1, 1, 50, MAX_PAGE, MAX_PAGE]
