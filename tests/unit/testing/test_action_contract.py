"""The contract class passes for a sound action, and names what is wrong with others."""

import asyncio
import inspect

import pytest
from pydantic import Field

from hookrt.plugin import Action, Duration, Outcome, Settings, SettingsProblem
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
        (
            {"check_in": lambda self, settings, base_dir: [SettingsProblem((), f"no file in {base_dir}")]},
            "test_valid_settings_have_no_problems",
            "problems",
        ),
        ({"lane": lambda self, written: ""}, "test_its_lane_is_a_text_or_none", "is no lane"),
    ],
)
def test_a_faulty_class_fails_its_test(changes, test, said, tmp_path):
    called = getattr(contract_of(changes), test)
    with pytest.raises(AssertionError, match=said):
        called(*[tmp_path] * len(inspect.signature(called).parameters))


@pytest.mark.parametrize("warning", [False, True])
def test_a_problem_that_check_in_finds_refuses_settings_and_a_warning_does_not(warning, tmp_path):
    def check_in(self, settings, base_dir):
        assert base_dir == tmp_path
        return [SettingsProblem((), "x", warning=warning)]

    contract = contract_of({"check_in": check_in}, invalid_settings=({"url": "https://fine.example.com"},))
    refused, sound = contract.test_invalid_settings_are_refused, contract.test_valid_settings_have_no_problems
    (sound if warning else refused)(tmp_path)
    with pytest.raises(AssertionError):
        (refused if warning else sound)(tmp_path)


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


def test_invalid_settings_that_are_accepted_fail_their_test(tmp_path):
    contract = contract_of({}, invalid_settings=({"url": "https://fine.example.com"},))
    with pytest.raises(AssertionError, match="should be refused"):
        contract.test_invalid_settings_are_refused(tmp_path)


def test_a_contract_without_an_example_fails():
    with pytest.raises(AssertionError, match="at least one example"):
        contract_of({}, valid_settings=()).test_valid_settings_are_accepted()


def test_the_contract_itself_is_not_collected():
    assert not ActionContract.__name__.startswith("Test")


class Careless(Settings):
    url: str
    password: str | None = None
    wait: Duration = Field("15s")
    none: list[int] = Field((), min_length=1)


class CarelessAction(Action[Careless]):
    """It sends it."""

    name = "careless"

    async def run(self, call):
        return Outcome.done()


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("test_its_settings_hide_their_secrets", "`password` of Careless is plain text"),
        ("test_its_defaults_are_what_its_settings_give", "`wait` of Careless is of the type str, .*give the timedelta"),
    ],
)
def test_careless_settings_are_found(test, said):
    contract = type("Contract", (ActionContract,), {"action": CarelessAction})()
    with pytest.raises(AssertionError, match=said):
        getattr(contract, test)()
