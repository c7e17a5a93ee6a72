from __future__ import annotations

import os
from pathlib import Path

import pytest

from hookrt.errors import SecretMissing
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import DirectorySecrets


def test_a_secret_is_the_text_of_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text("value\n")
    (tmp_path / "DOS").write_bytes(b"value\r\n")
    (tmp_path / "LINES").write_text("one\ntwo\n")
    secrets = DirectorySecrets(tmp_path)
    assert secrets.get("KEY") == "value"
    assert secrets.get("DOS") == "value"
    assert secrets.get("LINES") == "one\ntwo"
    assert secrets.get("ABSENT") is None


def test_an_empty_file_and_an_absent_directory_count_as_absent(tmp_path: Path) -> None:
    (tmp_path / "EMPTY").write_text("\n")
    assert DirectorySecrets(tmp_path).get("EMPTY") is None
    assert DirectorySecrets(tmp_path / "nowhere").get("KEY") is None
    assert DirectorySecrets(tmp_path / "nowhere").names() == frozenset()


def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("value")
    inside = tmp_path / "inside"
    inside.mkdir()
    for name in ("../outside", "/etc/hostname", ".", "..", "a/b", "", "a\0b"):
        assert DirectorySecrets(inside).get(name) is None


def test_a_rotated_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "KEY"
    file.write_text("old-value")
    secrets = DirectorySecrets(tmp_path)
    assert secrets.get("KEY") == "old-value"
    replacement = tmp_path / "next"
    replacement.write_text("new-value")
    os.replace(replacement, file)
    assert secrets.get("KEY") == "new-value"


def test_a_file_behind_links_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "KEY").write_text("value")
    (tmp_path / "KEY").symlink_to(tmp_path / "data" / "KEY")
    assert DirectorySecrets(tmp_path).get("KEY") == "value"


def test_a_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "HUGE").write_bytes(b"x" * (64 * 1024 + 1))
    (tmp_path / "FOLDER").mkdir()
    secrets = SecretLookup([DirectorySecrets(tmp_path)], Masker())
    with pytest.raises(SecretMissing, match="BINARY is not UTF-8"):
        secrets.get("BINARY")
    with pytest.raises(SecretMissing, match="HUGE is larger than 64 KiB"):
        secrets.get("HUGE")
    with pytest.raises(SecretMissing, match="FOLDER cannot be read"):
        secrets.get("FOLDER")


def test_the_directory_lists_its_names(tmp_path: Path) -> None:
    for name in ("KEY", "..data", "with-dash"):
        (tmp_path / name).write_text("x")
    assert DirectorySecrets(tmp_path).names() == {"KEY"}
    assert str(tmp_path / "KEY") in DirectorySecrets(tmp_path).where("KEY")
