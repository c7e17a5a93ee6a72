"""`ctx.http`: what requests and httpx do, by way of the service, to granted origins only."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hookrt.model.delivery import Status
from hookrt.testing import Answer, Receiver


def once(open_service: Any, code: str, allow: str, data: Any = None, **more: Any) -> tuple[Any, Any]:
    """The delivery and the one attempt of one event."""

    async def story() -> tuple[Any, Any]:
        async with open_service(code, allow, **more) as service:
            delivery, attempts = await service.emit(data)
            return delivery, attempts[-1]

    return asyncio.run(story())


def test_a_snippet_sends_and_reads_as_with_requests(open_service: Any) -> None:
    code = """
def run(event, ctx):
    made = ctx.http.post(event["data"] + "/v1/users", json={"name": "Ada"}, params={"a": [1, 2], "b": True, "c": None},
                         headers={"X-Trace": "t1"}, timeout=3)
    made.raise_for_status()
    form = ctx.http.put(event["data"] + "/form", data={"x": "a b", "y": 1}, auth=("ada", "pw"))
    raw = ctx.http.request("patch", event["data"] + "/raw", content=b"\\xff\\x00")
    gone = ctx.http.delete(event["data"] + "/x")
    print(made.status_code, made.ok, made.json()["id"], made.headers["CONTENT-TYPE"], form.text, raw.content, gone.ok)
    print(ctx.http.head(event["data"] + "/x").status, repr(gone), bool(gone))
"""
    with Receiver() as receiver:
        receiver.answer(
            Answer(201, json={"id": 7}),
            Answer(body="fine"),
            Answer(body=b"\xfe\x01", headers={"content-type": "application/octet-stream"}),
            Answer(404, body="gone"),
            Answer(204),
        )
        delivery, attempt = once(open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url)
        made, form, raw, gone, head = receiver.requests
    assert delivery.status is Status.SUCCEEDED, attempt.message
    assert (made.method, made.path, made.json) == ("POST", "/v1/users", {"name": "Ada"})
    assert made.url.partition("?")[2] == "a=1&a=2&b=true"
    assert (made.headers["content-type"], made.headers["x-trace"]) == ("application/json", "t1")
    assert (form.method, form.text) == ("PUT", "x=a+b&y=1")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.headers["authorization"] == "Basic YWRhOnB3"
    assert (raw.method, raw.body, gone.method, head.method) == ("PATCH", b"\xff\x00", "DELETE", "HEAD")
    assert attempt.logs[-2:] == (
        "201 True 7 application/json fine b'\\xfe\\x01' False",
        "204 <Response [404]> False",
    )


def test_each_request_is_a_line_of_the_log_without_its_query_and_the_last_is_the_exchange(open_service: Any) -> None:
    code = """
def run(event, ctx):
    ctx.http.get(event["data"] + "/first?token=12345678")
    ctx.http.get(event["data"] + "/second", headers={"X-Key": ctx.secrets.CRM_TOKEN})
"""
    with Receiver() as receiver:
        receiver.answer(Answer(json={}), Answer(404, body="no s3cret-4711 here"))
        allow = f'{{http: ["{receiver.url}"], secrets: [CRM_TOKEN]}}'
        there = receiver.url
        _, attempt = once(open_service, code, allow, there, CRM_TOKEN="s3cret-4711")
        assert receiver.requests[1].headers["x-key"] == "s3cret-4711"
    first, second = attempt.logs
    assert first.startswith(f"debug: http method=GET url={there}/first?… status=200 ms=")
    assert second.startswith(f"debug: http method=GET url={there}/second status=404 ms=")
    assert attempt.exchange.url == f"{there}/second"
    assert attempt.exchange.request_headers["X-Key"] == "***"
    assert attempt.exchange.response_body == "no *** here"


def test_another_origin_is_denied_and_the_message_names_it_and_the_line(open_service: Any, tmp_path: Any) -> None:
    code = """
def run(event, ctx):
    return ctx.http.get(event["data"]).text
"""
    with Receiver() as granted, Receiver() as other:
        there = other.url
        delivery, attempt = once(open_service, code, f'{{http: ["{granted.url}"]}}', there + "/x")
        assert other.requests == ()
    assert (delivery.status, attempt.reason) == (Status.DEAD, "denied")
    wanted = f'ctx.http is not granted for {there}: add "allow: {{http: [{there}]}}" to this step'
    assert wanted in attempt.message
    assert f"({tmp_path}/hooks.yaml:5)" in attempt.message
    assert f"{tmp_path}/hooks.yaml:10: " in attempt.message


def test_without_a_grant_the_message_names_the_origin_and_the_line(open_service: Any, tmp_path: Any) -> None:
    code = """
def run(event, ctx):
    return ctx.http.get("https://api.example.com/v1?key=secret").text
"""
    _, attempt = once(open_service, code, "{}")
    wanted = 'ctx.http is not granted: add "allow: {http: [https://api.example.com]}" to this step'
    assert f"{wanted} ({tmp_path}/hooks.yaml:5)" in attempt.message


def test_a_grant_with_a_path_holds_below_it(open_service: Any) -> None:
    code = """
def run(event, ctx):
    ctx.http.get(event["data"] + "/v1/users")
    ctx.http.get(event["data"] + "/v1/../v2")
"""
    with Receiver() as receiver:
        _, attempt = once(open_service, code, f'{{http: ["{receiver.url}/v1/"]}}', receiver.url)
        assert [request.path for request in receiver.requests] == ["/v1/users"]
    assert attempt.reason == "denied"


def test_redirects_are_answers_and_are_not_followed(open_service: Any) -> None:
    code = """
def run(event, ctx):
    answer = ctx.http.get(event["data"])
    print(answer.status_code, answer.headers["location"])
"""
    with Receiver() as receiver:
        receiver.answer(Answer(302, headers={"location": "https://evil.example.com/"}))
        _, attempt = once(open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url)
        assert len(receiver.requests) == 1
    assert attempt.logs[-1] == "302 https://evil.example.com/"


def test_an_origin_written_in_allow_may_be_private_and_one_that_is_public_by_name_may_not(open_service: Any) -> None:
    """The metadata address stays closed, also where it is written out."""
    code = """
def run(event, ctx):
    try:
        ctx.http.get("http://169.254.169.254/latest/meta-data/")
    except ctx.http.Error as error:
        print(error.reason)
"""
    _, attempt = once(open_service, code, '{http: ["http://169.254.169.254"]}')
    assert attempt.logs[-1] == "blocked-address"


def test_a_caught_failure_is_an_exception_with_a_reason(open_service: Any) -> None:
    code = """
def run(event, ctx):
    for path in ("/slow", "/reset", "/large", "/500"):
        try:
            ctx.http.get(event["data"] + path, timeout=1).raise_for_status()
        except ctx.http.Error as error:
            print(error.reason, error.status_code, error.response is not None)
    try:
        ctx.http.get(event["data"], verify=False)
    except ValueError as error:
        print("no", error)
"""
    with Receiver() as receiver:
        large = Answer(body=b"x" * (1024 * 1024 + 1))
        receiver.answer(Answer(fault="timeout"), Answer(fault="reset"), large, Answer(500))
        delivery, attempt = once(open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url)
    assert delivery.status is Status.SUCCEEDED, attempt.message
    said = [line for line in attempt.logs if not line.startswith("debug")]
    assert said == [
        "timeout None False",
        "reset None False",
        "too-large None False",
        "status 500 True",
        "no ctx.http: verify=False cannot be had here",
    ]


def test_an_uncaught_failure_is_an_error_that_names_its_reason(open_service: Any) -> None:
    code = """
def run(event, ctx):
    ctx.http.get(event["data"] + "/x?key=1").raise_for_status()
"""
    with Receiver() as receiver:
        receiver.answer(Answer(500))
        _, attempt = once(open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url)
        assert attempt.reason == "error"
        assert f"HttpError: {receiver.url}/x answered 500" in attempt.message


def test_a_request_waits_no_longer_than_the_run_may(open_service: Any) -> None:
    code = """
def run(event, ctx):
    ctx.http.get(event["data"])
"""
    with Receiver() as receiver:
        receiver.answer(Answer(fault="timeout"))
        _, attempt = once(
            open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url, more="        timeout: 300ms\n"
        )
    assert attempt.reason == "timeout"


@pytest.mark.parametrize("size", [1, 100_000, 1_000_000])
def test_answers_arrive_whole(open_service: Any, size: int) -> None:
    code = """
def run(event, ctx):
    answer = ctx.http.get(event["data"])
    print(len(answer.content), answer.text.count("ü"))
"""
    with Receiver() as receiver:
        receiver.answer(Answer(body="ü" * (size // 2)))
        _, attempt = once(open_service, code, f'{{http: ["{receiver.url}"]}}', receiver.url)
    assert attempt.logs[-1] == f"{size // 2 * 2} {size // 2}"


POLITE = """
def run(event, ctx):
    for url in event["data"]:
        ctx.http.get(url).raise_for_status()
"""
OVERLOADED = Answer(503, headers={"retry-after": "3600"})


async def waiting(service: Any, data: Any) -> Any:
    receipt = await service.runtime.emit("A", data)
    async with asyncio.timeout(20):
        while True:
            [delivery] = [(await service.runtime.store.delivery(each)).delivery for each in receipt.deliveries]
            if delivery.status is Status.WAITING:
                return delivery
            await asyncio.sleep(0.01)


def test_an_endpoint_that_is_to_be_left_alone_puts_the_run_off_without_an_attempt(open_service: Any) -> None:
    async def story() -> None:
        with Receiver() as receiver:
            receiver.answer(OVERLOADED)
            async with open_service(POLITE, f'{{http: ["{receiver.url}"]}}') as service:
                dead, _ = await service.emit([receiver.url])
                assert dead.status is Status.DEAD
                delivery = await waiting(service, [receiver.url])
                assert (delivery.reason, delivery.attempts, len(receiver.requests)) == ("lane-resting", 0, 1)

    asyncio.run(story())


def test_a_breaker_that_is_open_puts_the_run_off_too(open_service: Any) -> None:
    async def story() -> None:
        with Receiver() as receiver:
            receiver.answer(Answer(500))
            more = f'destinations:\n  "{receiver.url}": {{breaker: {{failures: 2, pause: 1h}}}}\n'
            async with open_service(POLITE, f'{{http: ["{receiver.url}"]}}', more) as service:
                await service.emit([receiver.url])
                await service.emit([receiver.url])
                delivery = await waiting(service, [receiver.url])
                assert (delivery.reason, delivery.attempts, len(receiver.requests)) == ("breaker-open", 0, 2)

    asyncio.run(story())


def test_a_run_that_has_sent_something_else_before_has_spent_its_attempt(open_service: Any) -> None:
    async def story() -> None:
        with Receiver() as busy, Receiver() as fine:
            busy.answer(OVERLOADED)
            async with open_service(POLITE, f'{{http: ["{busy.url}", "{fine.url}"]}}') as service:
                await service.emit([busy.url])
                delivery, [attempt] = await service.emit([fine.url, busy.url])
                assert (delivery.status, attempt.reason) == (Status.DEAD, "error")
                assert "HttpError: lane-resting: nothing is sent to" in attempt.message
                assert (len(busy.requests), len(fine.requests)) == (1, 1)

    asyncio.run(story())


def test_what_no_other_attempt_can_change_is_not_tried_again(open_service: Any) -> None:
    """A blocked address is final, a refused connection is not."""

    async def story(url: str) -> Any:
        retry = "        retry: [1ms]\n"
        async with open_service(POLITE, f'{{http: ["{url}"]}}', retry) as service:
            _, attempts = await service.emit([url])
            return [(attempt.outcome, attempt.reason) for attempt in attempts]

    assert asyncio.run(story("http://169.254.169.254")) == [("reject", "error")]
    with Receiver() as receiver:
        gone = receiver.url
    assert asyncio.run(story(gone)) == [("retry", "error")] * 2
