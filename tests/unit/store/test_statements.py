"""The named statements: all are found, each size has as many rows as it says."""

import re

import pytest

from hookrt.store.sqlite.statements import load_statements, split_rows


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 63, 64, 255, 256, 257, 1000, 5461])
def test_calls_of_a_few_sizes_take_all_rows_together(rows) -> None:
    sizes = split_rows(rows)
    assert sum(sizes) == rows
    assert len(sizes) <= rows // 256 + 4


def test_every_size_of_a_statement_has_that_many_rows_of_values() -> None:
    widths = {name: statement for name, statement in load_statements().items() if statement.width}
    assert len(widths) > 8
    for statement in widths.values():
        for size in (1, 2, 63, 64, 256):
            sql = statement.for_rows(size)
            assert statement.for_rows(size) is sql
            assert sql.count("?") == size * statement.width
            assert "{" not in sql


def test_parts_and_comments_are_resolved() -> None:
    for statement in load_statements().values():
        if not statement.width:
            assert "{" not in statement.sql
        assert not re.search(r"^\s*--", statement.sql, re.MULTILINE)
        assert statement.sql.strip()
