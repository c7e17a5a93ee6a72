"""Running an action in a test as the engine does."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hookrt.errors import EventError
from hookrt.model.ids import message_id
from hookrt.plugin import (
    Action,
    Destination,
    Duration,
    Http,
    HttpError,
    Log,
    Outcome,
    OutcomeKind,
    PluginError,
    Settings,
)
from hookrt.testing import (
    Answer,
    FakeClock,
    RecordedHttp,
    RecordedLog,
    attempt,
    call_for,
    event,
    open_action,
    run_action,
)


class SmsSettings(Settings):
    to: str
    wait: Duration = timedelta(0)


class SmsService(Settings):
    region: str = "eu"


class Sms(Action[SmsSettings]):
    """Send a text message."""

    name = "sms"
    service_settings = SmsService

    def __init__(self):
        self.life = []

    async def open(self, setup):
        self.life.append("open")
        self.setup = setup
        if setup.settings.region == "moon":
            raise PluginError("no coverage there")

    async def close(self):
        self.life.append("close")

    async def run(self, call):
        call.log.info("sending", to=call.settings.to)
        response = await call.http.send("POST", "https://sms.example.com/v1", json={"to": call.settings.to})
        call.emit("Sms.Sent", {"to": call.settings.to})
        return Outcome.from_response(response, output=response.json())


class Odd(Action[Settings]):
    """Does what its class attribute says."""

    name = "odd"
    act = None

    async def run(self, call):
        return await self.act(call)


def odd(act):
    return type("OddNow", (Odd,), {"act": staticmethod(act)})


def test_an_event_needs_no_word_about_what_does_not_matter():
    made = event()
    assert (made.id, made.type, made.source, made.data) == ("evt_test", "Test.Happened", "test", None)
    other = event("User.Created", {"n": 1}, id="e1", source="app", subject="u1", attributes={"a": 1})
    assert (other.id, other.subject, other.data, other.attributes) == ("e1", "u1", {"n": 1}, {"a": 1})


def test_an_event_that_hookrt_would_refuse_cannot_be_built():
    with pytest.raises(EventError):
        event("User.*")
    with pytest.raises(EventError):
        event("X", {"a": object()})


def test_a_call_is_complete_without_a_word():
    call = call_for(Sms, {"to": "+49"})
    assert (call.hook, call.step, call.attempt) == ("test", "sms", 1)
    assert call.message_id == message_id("test", "evt_test", "test", "sms")
    assert call.timeout == timedelta(seconds=15)
    assert call.settings == SmsSettings(to="+49")


def test_a_call_takes_what_it_is_given():
    destination = Destination("crm", "https://crm.example.com")
    call = call_for(
        Sms,
        {"to": "+49", "wait": "5s"},
        event=event("A.B", id="e9"),
        hook="welcome",
        step="text",
        attempt=3,
        timeout=timedelta(seconds=2),
        steps={"first": {"status": "succeeded", "output": 1, "error": None}},
        destinations={"crm": destination},
    )
    assert (call.event.id, call.hook, call.step, call.attempt) == ("e9", "welcome", "text", 3)
    assert call.settings.wait == timedelta(seconds=5)
    assert call.timeout == timedelta(seconds=2)
    assert call.steps["first"]["output"] == 1
    assert call.destinations == {"crm": destination}


def test_the_event_of_a_call_is_its_own_copy():
    happened = event("A.B", {"list": []})
    call_for(Sms, {"to": "x"}, event=happened).event.data["list"].append(1)
    assert happened.data == {"list": []}


def test_settings_are_read_as_from_hooks_yaml():
    with pytest.raises(ValidationError):
        call_for(Sms, {"to": 49})
    with pytest.raises(ValidationError):
        call_for(Sms, {"to": "+49", "unknown": 1})
    ready = SmsSettings(to="+49")
    assert call_for(Sms, ready).settings is ready


def test_an_action_is_opened_run_and_closed():
    http, log = RecordedHttp(Answer(202, json={"id": "s1"})), RecordedLog()
    outcome = run_action(Sms, {"to": "+49"}, http=http, log=log)
    assert outcome.kind is OutcomeKind.DONE
    assert outcome.output == {"id": "s1"}
    assert [(one.type, one.data) for one in outcome.events] == [("Sms.Sent", {"to": "+49"})]
    assert http.requests[0].json == {"to": "+49"}
    assert log.lines == [("info", "sending", {"to": "+49"})]


def test_an_action_gets_its_service_settings_and_base_directory(tmp_path):
    async def opened(**options):
        async with open_action(Sms, **options) as sms:
            assert sms.life == ["open"]
        assert sms.life == ["open", "close"]
        return sms.setup

    setup = asyncio.run(opened(service_settings={"region": "us"}, base_dir=tmp_path, clock=FakeClock()))
    assert (setup.settings, setup.base_dir) == (SmsService(region="us"), tmp_path)
    setup = asyncio.run(opened())
    assert (setup.settings.region, setup.base_dir) == ("eu", Path.cwd())


def test_an_action_that_cannot_open_says_so():
    with pytest.raises(PluginError, match="no coverage there"):
        run_action(Sms, {"to": "x"}, service_settings={"region": "moon"}, http=RecordedHttp())


@pytest.mark.parametrize(("fault", "kind"), [("timeout", "retry"), ("refused", "retry"), ("blocked-address", "reject")])
def test_a_failed_request_becomes_its_outcome(fault, kind):
    outcome = run_action(Sms, {"to": "x"}, http=RecordedHttp(Answer(fault=fault)))
    assert (outcome.kind, outcome.reason) == (kind, fault)
    assert outcome.events == ()


def test_an_attempt_that_does_not_end_in_time_is_a_retry():
    async def forever(call):
        await asyncio.Event().wait()

    outcome = run_action(odd(forever), {}, timeout=timedelta(milliseconds=1))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "timeout")


def test_any_other_exception_fails_the_test():
    async def broken(call):
        raise ZeroDivisionError

    async def late(call):
        raise TimeoutError("its own")

    with pytest.raises(ZeroDivisionError):
        run_action(odd(broken), {})
    with pytest.raises(TimeoutError, match="its own"):
        run_action(odd(late), {})


def test_events_of_an_attempt_that_is_not_done_are_not_emitted():
    async def emit_and_fail(call):
        call.emit("A.B")
        return Outcome.retry("busy")

    assert run_action(odd(emit_and_fail), {}).events == ()


def test_the_doubles_keep_the_protocols():
    http: Http = RecordedHttp()
    log: Log = RecordedLog()
    for level in ("debug", "info", "warning", "error"):
        getattr(log, level)("x", n=1)
    assert [line[0] for line in log.lines] == ["debug", "info", "warning", "error"]
    assert http.exchange is None


def test_recorded_http_answers_in_order_and_the_last_one_stays():
    async def statuses():
        http = RecordedHttp(Answer(500), Answer(200))
        return [(await http.send("GET", "https://example.com")).status_code for _ in range(3)]

    assert asyncio.run(statuses()) == [500, 200, 200]


def test_recorded_http_keeps_the_request_and_the_exchange():
    async def send():
        http = RecordedHttp(Answer(201, "created", {"X-Id": "7"}))
        headers = {"X-Token": "t"}
        response = await http.send("PUT", "https://example.com/a?x=1", params={"y": "2"}, headers=headers, content="hi")
        return http, response

    http, response = asyncio.run(send())
    (request,) = http.requests
    assert (request.method, request.path, request.query, request.text) == ("PUT", "/a", {"x": "1", "y": "2"}, "hi")
    assert request.headers == {"x-token": "t"}
    assert (response.status_code, response.text, response.headers["x-id"]) == (201, "created", "7")
    assert (http.exchange.status, http.exchange.response_body, http.exchange.request_body) == (201, "created", "hi")


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "https://", "http://[", "\x00"])
def test_recorded_http_refuses_what_is_no_url(url):
    with pytest.raises(HttpError) as raised:
        asyncio.run(RecordedHttp().send("GET", url))
    assert raised.value.reason == "bad-url"


@pytest.mark.parametrize("header", ["Host", "content-length", "Transfer-Encoding"])
def test_recorded_http_refuses_headers_that_belong_to_the_connection(header):
    with pytest.raises(HttpError, match="cannot be set by hand"):
        asyncio.run(RecordedHttp().send("GET", "https://example.com", headers={header: "x"}))


def test_the_httpx_client_is_answered_in_the_same_way():
    import httpx

    async def through_httpx():
        http = RecordedHttp(Answer(json={"n": 1}), Answer(fault="timeout"))
        async with http.client as client:
            answered = await client.post("https://example.com/x", json={"a": 1})
            with pytest.raises(httpx.ReadTimeout):
                await client.get("https://example.com/y")
        return answered.json(), [request.path for request in http.requests]

    assert asyncio.run(through_httpx()) == ({"n": 1}, ["/x", "/y"])


def test_an_answer_may_depend_on_the_request():
    async def ask():
        http = RecordedHttp()
        http.answer(lambda request: Answer(json=request.query))
        return (await http.send("GET", "https://example.com/?a=b")).json()

    assert asyncio.run(ask()) == {"a": "b"}


def test_attempts_of_one_instance_are_run_by_hand():
    async def twice():
        async with open_action(Sms) as sms:
            calls = [call_for(sms, {"to": str(number)}, attempt=number) for number in (1, 2)]
            return [(await attempt(sms, call)).kind for call in calls]

    assert asyncio.run(twice()) == ["done", "done"]
