from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.config.env_file import read_env_file
from hookrt.errors import ConfigError


def parse(tmp_path: Path, text: str | bytes) -> dict[str, str]:
    file = tmp_path / ".env"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_env_file(file)


def test_lines_are_key_and_value(tmp_path: Path) -> None:
    assert parse(
        tmp_path,
        """
# a comment
PLAIN=value
  SPACED = a value with spaces   # and a comment
export EXPORTED=yes
EMPTY=
COMMENT= # nothing
HASH=a#b
EQUALS=a=b==
SINGLE='as it is: $HOME \\n "x" #'
DOUBLE="one\\ntwo \\"quoted\\" \\$HOME \\\\ #"  # comment
URL=https://a.example/#x
DOLLAR=${HOME}
""",
    ) == {
        "PLAIN": "value",
        "SPACED": "a value with spaces",
        "EXPORTED": "yes",
        "EMPTY": "",
        "COMMENT": "",
        "HASH": "a#b",
        "EQUALS": "a=b==",
        "SINGLE": 'as it is: $HOME \\n "x" #',
        "DOUBLE": 'one\ntwo "quoted" $HOME \\ #',
        "URL": "https://a.example/#x",
        "DOLLAR": "${HOME}",
    }


def test_a_quoted_value_may_go_over_several_lines(tmp_path: Path) -> None:
    found = parse(tmp_path, "KEY='-----BEGIN\nabc\n-----END'\nB=\"x\ny\"\nC=3")
    assert found == {"KEY": "-----BEGIN\nabc\n-----END", "B": "x\ny", "C": "3"}


def test_line_ends_of_windows_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    assert parse(tmp_path, b"\xef\xbb\xbfA=1\r\nB=2\r\n") == {"A": "1", "B": "2"}


def test_every_bad_line_is_reported_with_its_number_and_without_its_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(tmp_path, 'A=1\nnonsense s3cret\n2B=s3cret\nC=\'s3cret\nA=s3cret\nD="x" s3cret\n')
    text = str(caught.value)
    assert [problem.place.line for problem in caught.value.problems] == [2, 3, 4, 5, 6]  # type: ignore[attr-defined]
    assert "the variable 'A' stands here twice" in text
    assert "is a quote opened and not closed" in text
    assert "s3cret" not in text


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for path, message in [
        (tmp_path / "absent", "No such file"),
        (tmp_path, "directory"),
        (Path("a\0b"), "cannot be read"),
    ]:
        with pytest.raises(ConfigError, match=message):
            read_env_file(path)
    with pytest.raises(ConfigError, match="not UTF-8"):
        parse(tmp_path, b"A=\xff")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        parse(tmp_path, b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="NUL"):
        parse(tmp_path, b"A='\0'")


@given(st.text("AB=#'\" \\\n\0$é", max_size=40))
def test_no_text_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        found = parse(tmp_path_factory.getbasetemp(), text)
    except ConfigError:
        return
    assert all(isinstance(value, str) for value in found.values())
