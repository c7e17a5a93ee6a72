"""Lets these tests run from the working tree too, and starts servers for them."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


class Server:
    """A private redis-server that can be killed and started again on the same data."""

    def __init__(self, folder, options=()):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        folder.mkdir()
        self._folder, self._options = folder, options
        self._process = None

    def start(self):
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("needs redis-server: apt install redis-server")
        safe = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder), *safe]
        self._process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as made:
                made.sendall(b"PING\r\n")
                if made.recv(5) in (b"+PONG", b"-NOAU"):
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
        server = Server(tmp_path / f"redis{len(made)}", options).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for many tests, each with a stream of its own."""
    started = Server(tmp_path_factory.mktemp("redis") / "data").start()
    yield started
    started.kill()


@pytest.fixture
def stream(request):
    """The name of a stream of this test."""
    return request.node.name
