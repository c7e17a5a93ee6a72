"""Every failure has a name: each made by a real socket, and read from the delivery that it ended."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from hookrt import Runtime
from hookrt.egress import clients
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status

Behaviour = Callable[[socket.socket], None]
HOOKS = """
hooks:
  one:
    on: A.B
    retry: none
    timeout: {timeout}
    steps:
      - webhook: {{url: "{url}"}}
"""


@contextmanager
def endpoint(behave: Behaviour, *, scheme: str = "http") -> Iterator[str]:
    """The URL of a server that reads something of each connection and then behaves so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: nobody came
                return
            with connection:
                connection.settimeout(10)
                connection.recv(65536)
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(10)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        try:
            connection.sendall(answer)
            connection.recv(1)
        except OSError:  # the other side has seen enough
            return

    return behave


def stay_silent(connection: socket.socket) -> None:
    try:
        connection.recv(1)
    except OSError:
        return


def deliver(folder: Path, url: str, timeout: str = "5s") -> tuple[Delivery, Attempt]:
    """The delivery of one event to this URL, without retries, and its attempt."""

    async def run() -> tuple[Delivery, Attempt]:
        path = folder / "hooks.yaml"
        path.write_text(HOOKS.format(url=url, timeout=timeout))
        async with Runtime.from_file(path, store="memory:") as runtime:
            [delivery] = await (await runtime.emit("A.B")).wait(timeout=20)
            [attempt] = await runtime.store.attempts(delivery.id)
            return delivery, attempt

    return asyncio.run(run())


def failure(folder: Path, url: str, timeout: str = "5s") -> str:
    """`reason: message` of the attempt, which are the delivery's too."""
    delivery, attempt = deliver(folder, url, timeout)
    assert (delivery.status, delivery.reason) == (Status.DEAD, attempt.reason)
    return f"{attempt.reason}: {attempt.message}"


def answered(folder: Path, answer: bytes) -> str:
    with endpoint(say(answer)) as url:
        return failure(folder, url)


def test_dns(tmp_path: Path) -> None:
    assert failure(tmp_path, "http://nowhere.invalid/").startswith("dns: the name nowhere.invalid has no address")


def test_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        said = failure(tmp_path, f"http://127.0.0.1:{port}/")
    assert said == f"refused: the connection to 127.0.0.1:{port} was refused"


def test_reset(tmp_path: Path) -> None:
    with endpoint(reset) as url:
        assert failure(tmp_path, url).startswith("reset: ")


def test_tls(tmp_path: Path) -> None:
    with endpoint(say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), scheme="https") as url:
        assert "is it http rather than https?" in failure(tmp_path, url)


def test_timeout_says_connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", timedelta(seconds=0.2))
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):  # more than its queue takes
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        said = failure(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert said.startswith("timeout: ")
    assert "(connect timeout)" in said


def test_timeout_says_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", timedelta(seconds=0.2))
    with endpoint(stay_silent) as url:
        said = failure(tmp_path, url, timeout="500ms")
    assert said.startswith("timeout: ")
    assert "(read timeout)" in said


def test_timeout_says_total(tmp_path: Path) -> None:
    with endpoint(say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")) as url:
        said = failure(tmp_path, url, timeout="300ms")
    assert said.startswith("timeout: ")
    assert "(total timeout)" in said


def test_status(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\n\r\n"
    assert answered(tmp_path, answer) == "status: the endpoint answered 418"


def test_a_retry_after_beyond_the_ceiling_waits_the_ceiling(tmp_path: Path) -> None:
    async def run(url: str) -> int:
        path = tmp_path / "hooks.yaml"
        text = HOOKS.replace("retry: none", "retry: [1s]\n    max_retry_after: 100s")
        path.write_text(text.format(url=url, timeout="5s"))
        async with Runtime.from_file(path, store="memory:") as runtime, asyncio.timeout(10):
            [identity] = (await runtime.emit("A.B")).deliveries
            while True:
                found = await runtime.store.delivery(identity)
                if found is not None and found.delivery.status is Status.WAITING:
                    return found.delivery.due_us - found.delivery.updated_us
                await asyncio.sleep(0.01)

    answer = b"HTTP/1.1 503 Busy\r\nretry-after: 9999\r\ncontent-length: 0\r\n\r\n"
    with endpoint(say(answer)) as url:
        waits_s = asyncio.run(run(url)) / 1_000_000
    assert 90 < waits_s <= 100


def test_redirect(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 301 Moved\r\nlocation: http://new.example/\r\ncontent-length: 0\r\n\r\n"
    assert answered(tmp_path, answer).startswith(
        "redirect: the endpoint answered 301, a redirect to http://new.example/"
    )


GONE = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
UNWANTED = b"HTTP/1.1 500 Oops\r\nwebhook-delivery: disable\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "reason"), [(GONE, "gone"), (UNWANTED, "disable")])
def test_who_wants_no_more_disables_the_hook_if_its_url_is_a_literal(
    tmp_path: Path, answer: bytes, reason: str
) -> None:
    async def run(url: str) -> None:
        path = tmp_path / "hooks.yaml"
        path.write_text(HOOKS.format(url=url, timeout="5s"))
        async with Runtime.from_file(path, store="memory:") as runtime, asyncio.timeout(10):
            [delivery] = (await runtime.emit("A.B")).deliveries
            while not (attempts := await runtime.store.attempts(delivery)):
                await asyncio.sleep(0.01)
            assert [one.reason for one in attempts] == [reason]
            [later] = (await runtime.emit("A.B")).deliveries
            found = await runtime.store.delivery(later)
            assert found is not None
            assert found.delivery.status is Status.HELD

    with endpoint(say(answer)) as url:
        asyncio.run(run(url))


@pytest.mark.parametrize(("answer", "reason"), [(GONE, "gone"), (UNWANTED, "disable")])
def test_who_wants_no_more_at_a_rendered_url_ends_this_delivery_only(
    tmp_path: Path, answer: bytes, reason: str
) -> None:
    with endpoint(say(answer)) as url:
        assert failure(tmp_path, url + "${{ event.type }}").startswith(f"{reason}: ")


def test_abort_message(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 500 Oops\r\nwebhook-delivery: abort-message\r\ncontent-length: 0\r\n\r\n"
    assert answered(tmp_path, answer).startswith("abort-message: ")


def test_too_large(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000
    assert answered(tmp_path, answer).startswith("too-large: ")


def test_protocol(tmp_path: Path) -> None:
    assert answered(tmp_path, b"SSH-2.0-OpenSSH_9.2\r\n\r\n").startswith("protocol: ")


def test_blocked_address(tmp_path: Path) -> None:
    said = failure(tmp_path, "http://169.254.169.254/latest/meta-data")
    assert said.startswith("blocked-address: ")
