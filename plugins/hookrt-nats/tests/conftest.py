"""Lets these tests run from the working tree too, and starts servers for them."""

import asyncio
import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


_NUMBERS = itertools.count()


class Server:
    """A private nats-server with JetStream that can be killed and started again on the same data."""

    def __init__(self, folder, options=()):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._folder, self._options = folder, options
        self._process = None

    def start(self):
        program = shutil.which("nats-server", path="/usr/sbin:/usr/local/bin:/usr/bin:/bin") or shutil.which(
            "nats-server"
        )
        if program is None:
            pytest.skip("needs nats-server: apt install nats-server")
        command = [program, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._folder), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as made:
                if made.recv(4) == b"INFO":
                    return self
            assert time.monotonic() < deadline, "the server does not start"
            assert self._process.poll() is None, "the server has ended"

    def kill(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def new_server(tmp_path):
    """Makes a server of the test's own, with options of the command line."""
    made = []

    def make(*options):
        server = Server(tmp_path / f"jetstream{len(made)}", options).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for many tests, each with a stream of its own."""
    started = Server(tmp_path_factory.mktemp("jetstream")).start()
    yield started
    started.kill()


@pytest.fixture
def new_stream(server):
    """Makes streams: the name of each is also the first part of its subjects."""
    import nats

    async def make(name):
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name=name, subjects=[f"{name}.>"])
        await client.close()

    def made(name=None):
        name = name or f"S{next(_NUMBERS)}"
        asyncio.run(make(name))
        return name

    return made


@pytest.fixture
def stream(new_stream):
    """A stream of this test."""
    return new_stream()
