"""Opening a file: how it is set up, and what a wrong one gets."""

import asyncio
import os
import sqlite3
import stat

import pytest

from hookrt.clock import SystemClock
from hookrt.errors import HookrtError, StoreError
from hookrt.store.migrate import load_migrations
from hookrt.store.open import default_store_url, file_of, open_store
from hookrt.store.sqlite.store import SqliteStore

OPEN = """
import asyncio, sys
from pathlib import Path
from hookrt.clock import SystemClock, from_us
from hookrt.errors import StoreError
from hookrt.model.event import Event
from hookrt.store.contract import NewEvent
from hookrt.store.sqlite.store import SqliteStore

async def main():
    sys.stdin.readline()
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    await store.save(NewEvent(Event(sys.argv[2], "A.B", "http", from_us(0)), b"d", 0))
    await store.close()
    print("ok")

try:
    asyncio.run(main())
except StoreError as error:
    print(type(error).__name__, "|", error)
"""

NEWEST = len(load_migrations("hookrt.store.sqlite"))


async def opening(place, path=None) -> str:
    """What opening the file says; it must be one sentence."""
    with pytest.raises(StoreError) as raised:
        async with place.opened(path):
            pass
    text = str(raised.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def test_the_file_is_set_up_for_durability_and_can_shrink(place) -> None:
    def ask(session, tally):
        return {
            name: session.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("auto_vacuum", "journal_mode", "synchronous", "user_version", "application_id", "busy_timeout")
        }

    async def scenario(store) -> None:
        assert await store._change(ask) == {
            "auto_vacuum": 2,
            "journal_mode": "wal",
            "synchronous": 2,
            "user_version": NEWEST,
            "application_id": 0x686F6F6B,
            "busy_timeout": 10_000,
        }

    place.run(scenario)


def test_all_tables_are_strict_and_those_of_later_features_are_there(place) -> None:
    def ask(session):
        return {row[1]: row[5] for row in session.connection.execute("PRAGMA table_list")}

    async def scenario(store) -> None:
        tables = {name: strict for name, strict in (await store._read(ask)).items() if not name.startswith("sqlite_")}
        assert {"events", "deliveries", "attempts", "hook_states", "kv", "jobs"} <= tables.keys()
        assert set(tables.values()) == {1}

    place.run(scenario)


def test_a_new_file_is_readable_for_its_owner_only(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1"))
        await store.lead()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in place.path.parent.iterdir()}
        assert set(modes.values()) == {0o600}
        assert {"hookrt.db", "hookrt.db-wal", "hookrt.db.lock"} <= modes.keys()

    place.run(scenario)


def test_a_reader_cannot_write(place) -> None:
    async def scenario(store) -> None:
        with pytest.raises(StoreError, match="cannot be written"):
            await store._read(lambda session: session.connection.execute("DELETE FROM events"))

    place.run(scenario)


def test_what_is_stored_is_there_when_it_is_opened_again(place) -> None:
    place.run(lambda store: store.save(place.event("e1", place.delivery("d1"))))
    assert place.run(lambda store: store.delivery("d1")).event.id == "e1"


def test_closing_leaves_the_file_and_no_log(place) -> None:
    async def scenario(store) -> None:
        await asyncio.gather(*(store.save(place.event(f"e{n}")) for n in range(20)), store.counts(), store.counts())

    place.run(scenario)
    assert [file.name for file in place.path.parent.iterdir()] == ["hookrt.db"]


def test_a_store_that_could_not_be_opened_can_be_opened_later(place) -> None:
    path = place.path.parent / "later" / "x.db"
    store = SqliteStore(path, place.clock)

    async def scenario() -> None:
        with pytest.raises(StoreError, match="no folder"):
            await store.open()
        path.parent.mkdir()
        await store.open()
        await store.save(place.event("e1"))
        await store.close()

    asyncio.run(scenario())
    assert path.exists()


def test_many_processes_may_open_a_new_file_at_once(place) -> None:
    children = [place.child(OPEN, str(n)) for n in range(6)]
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    assert [child.stdout.readline() for child in children] == ["ok\n"] * 6
    for n in range(6):
        assert place.run(lambda store, n=n: store.event("http", str(n))) is not None


def test_a_missing_folder_is_named(place) -> None:
    text = asyncio.run(opening(place, place.path.parent / "none" / "x.db"))
    assert f"there is no folder {place.path.parent / 'none'}" in text


def test_a_folder_is_no_file(place) -> None:
    assert "is a folder" in asyncio.run(opening(place, place.path.parent))


def test_a_file_that_is_no_database_is_not_touched(place) -> None:
    place.path.write_bytes(b"hooks:\n" * 1000)
    assert "is no database" in asyncio.run(opening(place))
    assert place.path.read_bytes() == b"hooks:\n" * 1000


def test_a_database_of_another_program_is_not_touched(place) -> None:
    for version in (0, 3):
        with sqlite3.connect(place.path) as other:
            other.execute("CREATE TABLE IF NOT EXISTS notes (text)")
            other.execute(f"PRAGMA user_version = {version}")
        other.close()
        before = place.path.read_bytes()
        assert "another program" in asyncio.run(opening(place))
        assert place.path.read_bytes() == before


def test_a_newer_schema_is_refused_with_the_way_out(place) -> None:
    def newer(session, tally) -> None:
        session.connection.execute("PRAGMA user_version = 7000")

    place.run(lambda store: store._change(newer))
    text = asyncio.run(opening(place))
    assert f"newer hookrt (its schema is 7000, this one knows {NEWEST})" in text
    assert "upgrade" in text


def test_a_damaged_file_is_said_to_be_damaged(place) -> None:
    async def fill(store) -> None:
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}"), content=b"x" * 3000) for n in range(200)])

    place.run(fill)
    damaged = bytearray(place.path.read_bytes())
    damaged[4096 * 3 :] = b"\xff" * (len(damaged) - 4096 * 3)
    place.path.write_bytes(damaged)

    async def use() -> None:
        async with place.opened() as store:
            await store.save(place.event("new", place.delivery("new")))

    with pytest.raises(StoreError, match="is damaged"):
        asyncio.run(use())


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_this_user_may_not_write_is_said_so(place, what) -> None:
    place.run(lambda store: store.save(place.event("e1")))
    code = OPEN
    if os.geteuid() == 0:
        code = OPEN.replace("try:\n", "import importlib.readers, os\nos.setgid(65534)\nos.setuid(65534)\ntry:\n")
        for folder in (place.path.parent, *place.path.parent.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o055)
    place.path.chmod(0o444)
    place.path.parent.chmod(0o755 if what == "file" and os.geteuid() == 0 else 0o555)
    try:
        child = place.child(code, "e2")
        said = child.communicate("\n")[0]
    finally:
        place.path.parent.chmod(0o755)
    assert said.startswith("StoreError |")
    assert "writable" in said


def test_a_lock_that_cannot_be_made_is_said(place) -> None:
    async def scenario(store) -> None:
        place.path.with_name("hookrt.db.lock").mkdir()
        with pytest.raises(StoreError, match=r"hookrt\.db\.lock"):
            await store.lead()

    place.run(scenario)


# URLs


def test_a_url_names_a_file_relative_or_absolute(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    clock = SystemClock()
    assert open_store("sqlite:///a b/x.db", clock).url == f"sqlite:///{tmp_path}/a b/x.db"
    assert open_store("sqlite:////var/lib/x.db", clock).url == "sqlite:////var/lib/x.db"
    assert open_store("memory:", clock).url == "memory:"
    assert file_of("sqlite:///x.db") == tmp_path / "x.db"
    assert file_of("memory:") is None


def test_a_file_may_have_an_odd_name(place) -> None:
    for name in ("a b.db", "per%20cent.db", "what?.db", "ha#sh.db", "ü&x=y.db"):
        path = place.path.parent / name

        async def scenario(path=path) -> None:
            async with place.opened(path) as store:
                await store.save(place.event("e1"))
                assert await store.event("http", "e1") is not None

        asyncio.run(scenario())
        assert path.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:geheim@db/hooks", "no store for 'postgresql' URLs"),
        ("sqlite://x.db", "three slashes"),
        ("sqlite:x.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("hookrt.db", "no store URL"),
        ("", "no store URL"),
    ],
)
def test_another_url_is_refused_with_what_there_is_and_without_credentials(url, says) -> None:
    with pytest.raises(HookrtError) as raised:
        open_store(url, SystemClock())
    assert says in str(raised.value)
    assert "sqlite:///PATH" in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_asking_where_the_default_store_is_makes_nothing(tmp_path) -> None:
    assert default_store_url(tmp_path) == f"sqlite:///{tmp_path}/.hookrt/hookrt.db"
    assert list(tmp_path.iterdir()) == []


def test_the_default_store_lies_in_a_folder_for_its_owner_that_git_ignores(place, tmp_path) -> None:
    folder = tmp_path / ".hookrt"
    path = file_of(default_store_url(tmp_path))

    async def scenario() -> None:
        async with place.opened(path):
            pass

    asyncio.run(scenario())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    (folder / ".gitignore").write_text("mine\n")
    asyncio.run(scenario())
    assert (folder / ".gitignore").read_text() == "mine\n"


def test_a_default_store_that_cannot_be_made_is_said(tmp_path) -> None:
    (tmp_path / ".hookrt").write_text("a file")
    store = open_store(default_store_url(tmp_path), SystemClock())
    with pytest.raises(StoreError, match="--store"):
        asyncio.run(store.open())
