"""Lets these tests run from the working tree too, and starts a PostgreSQL for them."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

PASSWORD = "open:sesame"
WRITTEN_PASSWORD = "open%3Asesame"
FOLDERS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"), Path("/usr/local/bin")]
NOBODY = 65534
NUMBERS = count()


def _make(programs, folder, as_user):
    (folder / "password").write_text(PASSWORD)
    make = [programs / "initdb", "-D", folder / "data", "-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8"]
    make += [f"--pwfile={folder / 'password'}", "--no-sync", "--locale=C"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **as_user)


def _wait(programs, folder, port, server):
    ask = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + 60
    while subprocess.run(ask, check=False).returncode:
        assert server.poll() is None, (folder / "log.txt").read_text()
        assert time.monotonic() < deadline, "PostgreSQL does not start"


@pytest.fixture(scope="session")
def postgres_server():
    """A private PostgreSQL with passwords, on a free port and on a socket in a folder: its port and the folder."""
    programs = next((folder for folder in FOLDERS if (folder / "initdb").exists()), None)
    if programs is None:
        pytest.skip("needs PostgreSQL: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="hookrt-pg-"))
    as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if as_user:
        os.chown(folder, NOBODY, NOBODY)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _make(programs, folder, as_user)
    options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
    serve = [programs / "postgres", "-D", folder / "data", *[part for one in options for part in ("-c", one)]]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(serve, stdout=log, stderr=log, cwd=folder, **as_user)
    try:
        _wait(programs, folder, port, server)
        yield port, folder
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(postgres_server):
    """The URL of the database."""
    return f"postgresql://postgres:{WRITTEN_PASSWORD}@127.0.0.1:{postgres_server[0]}/postgres"


@pytest.fixture
def socket_url(postgres_server):
    """The same database by its socket."""
    port, folder = postgres_server
    return f"postgresql://postgres:{WRITTEN_PASSWORD}@/postgres?host={folder}&port={port}"


@pytest.fixture
def execute(url):
    """Runs a statement beside the plugin; gives the rows, if any."""
    import psycopg

    def run(sql, *params):
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def table(execute):
    """The name of a table of this test, with an id and a text."""
    name = f"orders_{next(NUMBERS)}"
    execute(f"CREATE TABLE {name} (id text PRIMARY KEY, note text NOT NULL)")
    return name
