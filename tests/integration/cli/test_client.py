"""The client against a real server that answers as told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hookrt.cli.client import Address, Client, NobodyAnswers, ServiceRefused
from hookrt.errors import HookrtError

Answer = tuple[int, str, str]


class Server:
    """Answers every request with `answer` and keeps what came."""

    def __init__(self) -> None:
        self.answer: Answer = (200, "application/json", "{}")
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.requests.append((self.command, self.path, headers, body))
                status, kind, text = outer.answer
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = _take  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(Address(server.url, "tok_1")) as made:
        yield made


def test_it_sends_the_token_and_leaves_out_empty_filters(server: Server, client: Client) -> None:
    server.answer = (200, "application/json", '{"items": []}')
    assert client.get("/v1/events", type="A", source=None) == {"items": []}
    method, path, headers, _ = server.requests[0]
    assert (method, path, headers["authorization"]) == ("GET", "/v1/events?type=A", "Bearer tok_1")


def test_a_posted_text_goes_out_byte_for_byte(server: Server, client: Client) -> None:
    server.answer = (202, "application/json", "")
    assert client.post_text("/v1/events", b'{"data":1.10}') is None
    assert server.requests[0][3] == b'{"data":1.10}'
    assert server.requests[0][2]["content-type"] == "application/json"


def test_a_problem_document_becomes_its_sentence(server: Server, client: Client) -> None:
    server.answer = (400, "application/problem+json", json.dumps({"title": "Bad", "detail": "'type' is missing"}))
    with pytest.raises(ServiceRefused, match="'type' is missing") as caught:
        client.post("/v1/events", {})
    assert caught.value.status == 400


def test_an_answer_without_a_problem_document_is_told_by_its_status(server: Server, client: Client) -> None:
    server.answer = (502, "text/html", "<html>")
    with pytest.raises(ServiceRefused, match="answered 502 Bad Gateway"):
        client.get("/v1/hooks")


def test_a_missing_token_says_how_to_give_one(server: Server) -> None:
    server.answer = (401, "application/problem+json", '{"detail": "no token"}')
    with Client(Address(server.url)) as client, pytest.raises(ServiceRefused, match="set HOOKRT_TOKEN"):
        client.get("/v1/hooks")


def test_something_else_at_the_address_is_named(server: Server, client: Client) -> None:
    server.answer = (200, "text/html", "<html>hello</html>")
    with pytest.raises(ServiceRefused, match="is no hookrt service"):
        client.get("/v1/hooks")


def test_an_answer_in_another_shape_is_told_as_such(server: Server, client: Client) -> None:
    server.answer = (200, "application/json", '{"hello": {"world": 1}}')
    answer = client.get("/v1/hooks")
    assert answer["hello"]["world"] == 1
    with pytest.raises(ServiceRefused, match="no hookrt service, or another version of it: its answer has no 'items'"):
        answer["items"]


def test_a_redirect_is_not_followed(server: Server, client: Client) -> None:
    server.answer = (302, "text/html", "")
    with pytest.raises(ServiceRefused, match="redirect"):
        client.get("/v1/hooks")
    assert len(server.requests) == 1


def test_no_service_is_one_sentence_on_how_to_start_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = Address(f"http://127.0.0.1:{free.getsockname()[1]}")
        with Client(address) as client, pytest.raises(NobodyAnswers, match="start it with `hookrt run`"):
            client.get("/v1/hooks")


def test_a_local_service_is_asked_without_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Client(Address(server.url)) as client:
        assert client.get("/v1/hooks") == {}


@pytest.mark.parametrize("url", ["127.0.0.1:4665", "ftp://x", "http://", "http://[", "file:///etc/passwd"])
def test_a_url_that_is_none_is_refused_by_name(url: str) -> None:
    with pytest.raises(HookrtError, match="HOOKRT_URL is"):
        Address.from_env({"HOOKRT_URL": url})


def test_the_address_comes_from_the_environment() -> None:
    assert Address.from_env({}) == Address("http://127.0.0.1:4665", None)
    given = Address.from_env({"HOOKRT_URL": "https://hooks.example.com/", "HOOKRT_TOKEN": "tok"})
    assert given == Address("https://hooks.example.com", "tok")
    assert given.given
    assert not Address.from_env({"HOOKRT_TOKEN": "tok"}).given
    assert "tok" not in repr(given)


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1", True), ("http://[::1]:1", True), ("http://localhost", True), ("https://a.example", False)],
)
def test_an_address_knows_whether_it_is_this_machine(url: str, local: Callable[[], bool]) -> None:
    assert Address(url).local is local
