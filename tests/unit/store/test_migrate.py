"""Migrations: in order, complete, and never backwards."""

import pytest

from hookrt.errors import StoreError
from hookrt.store.migrate import Migration, load_migrations, missing_migrations

THREE = [Migration(n, f"step{n}", "SELECT 1;") for n in (1, 2, 3)]


def test_a_database_gets_what_it_lacks_in_order() -> None:
    assert missing_migrations(THREE, 0, "url") == THREE
    assert missing_migrations(THREE, 2, "url") == THREE[2:]
    assert not missing_migrations(THREE, 3, "url")


def test_a_newer_database_is_refused() -> None:
    with pytest.raises(StoreError, match=r"url was written by a newer hookrt \(its schema is 4, this one knows 3\)"):
        missing_migrations(THREE, 4, "url")


def test_the_migrations_of_sqlite_are_complete() -> None:
    found = load_migrations("hookrt.store.sqlite")
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all("CREATE TABLE" in one.sql for one in found[:1])


@pytest.mark.parametrize("files", [[], ["0002_second.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_a_damaged_installation_is_said(files, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "damaged_package" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    for name in files:
        (folder / name).write_text("SELECT 1;")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "damaged_package", raising=False)
    with pytest.raises(StoreError, match="install hookrt again"):
        load_migrations("damaged_package")
