"""The contract class passes for a sound action, and names what is wrong with others."""

import asyncio

import pytest

from hookrt.plugin import Action, Outcome, Settings, SettingsProblem
from hookrt.testing import ActionContract, Answer, RecordedHttp


class PingSettings(Settings):
    url: str


class Ping(Action[PingSettings]):
    """Ask a URL whether it is there."""

    name = "ping"
    short = "url"
    reasons = {"silent": "it does not answer"}  # noqa: RUF012

    def check(self, settings):
        if " " in settings.url:
            yield SettingsProblem(("url",), "a URL has no spaces")

    async def run(self, call):
        response = await call.http.send("GET", call.settings.url)
        return Outcome.from_response(response, output={"status": response.status_code})


class TestPing(ActionContract):
    action = Ping
    valid_settings = ({"url": "https://example.com"}, {"url": "https://example.org"})
    invalid_settings = ({}, {"url": 1}, {"url": "a b"})


class TestPingOfAGoneEndpoint(ActionContract):
    action = Ping
    valid_settings = ({"url": "https://example.com"},)

    def make_http(self):
        return RecordedHttp(Answer(410))


def contract_of(changes, **attributes):
    made = type("Changed", (Ping,), changes)
    settings = {"valid_settings": ({"url": "https://example.com"},), **attributes}
    return type("Contract", (ActionContract,), {"action": made, **settings})()


async def no_outcome(self, call):
    return {"not": "an outcome"}


async def no_json(self, call):
    return Outcome.done({"a": object()})


async def undocumented(self, call):
    return Outcome.retry("surprise")


async def crowd(self, call):
    self.under_way = getattr(self, "under_way", 0) + 1
    await asyncio.sleep(0)
    assert self.under_way == 1
    self.under_way -= 1
    return Outcome.done()


@pytest.mark.parametrize(
    ("changes", "test", "said"),
    [
        ({"name": "Ping"}, "test_the_runtime_admits_it", "lower case"),
        ({"__doc__": ""}, "test_it_says_what_it_does", "needs a docstring"),
        (
            {"check": lambda self, settings: [SettingsProblem((), "x")]},
            "test_valid_settings_have_no_problems",
            "problems",
        ),
        ({"lane": lambda self, written: ""}, "test_its_lane_is_a_text_or_none", "is no lane"),
    ],
)
def test_a_faulty_class_fails_its_test(changes, test, said):
    with pytest.raises(AssertionError, match=said):
        getattr(contract_of(changes), test)()


@pytest.mark.parametrize(
    ("run", "said"),
    [(no_outcome, "run returned dict, not an Outcome"), (undocumented, "document 'surprise' in `reasons`")],
)
def test_a_run_without_a_valid_outcome_fails_its_test(run, said, tmp_path):
    with pytest.raises((AssertionError, TypeError), match=said):
        contract_of({"run": run}).test_a_run_ends_in_a_valid_outcome(tmp_path)


def test_an_output_that_is_no_json_fails_its_test(tmp_path):
    from hookrt.errors import EventError

    with pytest.raises(EventError, match="not JSON"):
        contract_of({"run": no_json}).test_a_run_ends_in_a_valid_outcome(tmp_path)


def test_an_action_that_cannot_serve_many_at_once_fails_its_test(tmp_path):
    contract = contract_of({"run": crowd})
    contract.test_a_run_ends_in_a_valid_outcome(tmp_path)
    with pytest.raises(AssertionError):
        contract.test_one_instance_serves_many_attempts_at_once(tmp_path)


def test_invalid_settings_that_are_accepted_fail_their_test():
    contract = contract_of({}, invalid_settings=({"url": "https://fine.example.com"},))
    with pytest.raises(AssertionError, match="should be refused"):
        contract.test_invalid_settings_are_refused()


def test_a_contract_without_an_example_fails():
    with pytest.raises(AssertionError, match="at least one example"):
        contract_of({}, valid_settings=()).test_valid_settings_are_accepted()


def test_the_contract_itself_is_not_collected():
    assert not ActionContract.__name__.startswith("Test")
