"""`call.state`: JSON values by key, bounded, with compare-and-set; and `call.secrets`."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.stored_state import MAX_VALUES
from hookrt.errors import SecretMissing
from hookrt.model.outcome import Outcome
from hookrt.plugin import Action, ActionCall, SecretName, Settings, StateError
from hookrt.testing import FakeClock, MemoryState, call_for, run_action


def run(scenario: Any) -> None:
    asyncio.run(scenario(MemoryState()))


@pytest.mark.parametrize("value", [0, "", "x", [], {}, [1, 2.5, None, True], {"b": {"a": "ü"}}, 2**63, 1.0, False])
def test_a_json_value_comes_back_as_it_was(value: Any) -> None:
    async def scenario(state: MemoryState) -> None:
        await state.set("k", value)
        found = await state.get("k")
        assert found == value
        assert type(found) is type(value)

    run(scenario)


def test_a_value_is_at_most_64_levels_deep() -> None:
    def nested(levels: int) -> list[Any]:
        return [nested(levels - 1)] if levels > 1 else []

    async def scenario(state: MemoryState) -> None:
        await state.set("k", nested(64))
        with pytest.raises(StateError, match="64 levels") as caught:
            await state.set("k", nested(65))
        assert caught.value.reason == "bad-value"

    run(scenario)


def test_none_is_no_value() -> None:
    async def scenario(state: MemoryState) -> None:
        await state.set("k", 1)
        await state.set("k", None)
        assert await state.get("k", "default") == "default"
        assert await state.compare_and_set("k", None, 1)
        assert await state.compare_and_set("k", 1, None)
        assert await state.get("k") is None

    run(scenario)


def test_values_are_compared_by_what_they_are_and_not_by_the_order_of_their_keys() -> None:
    async def scenario(state: MemoryState) -> None:
        await state.set("k", {"a": 1, "b": [2]})
        assert not await state.compare_and_set("k", {"a": 1, "b": [3]}, 0)
        assert await state.compare_and_set("k", {"b": [2], "a": 1}, 1)
        assert not await state.compare_and_set("k", 1.0, 0)
        assert not await state.compare_and_set("k", True, 0)

    run(scenario)


def test_a_ttl_ends_a_value() -> None:
    async def scenario() -> None:
        clock = FakeClock()
        state = MemoryState(clock)
        await state.set("k", 1, timedelta(seconds=10))
        await state.add("n", 1, timedelta(seconds=20))
        clock.advance(timedelta(seconds=10))
        assert (await state.get("k"), await state.get("n")) == (None, 1)
        clock.advance(timedelta(seconds=10))
        assert await state.add("n") == 1

    asyncio.run(scenario())


def test_numbers_are_added_to() -> None:
    async def scenario(state: MemoryState) -> None:
        assert [await state.add("n"), await state.add("n", 4), await state.add("n", -0.5)] == [1, 5, 4.5]
        await state.set("t", "text")
        with pytest.raises(StateError) as caught:
            await state.add("t")
        assert caught.value.reason == "bad-value"

    run(scenario)


@pytest.mark.parametrize(
    ("key", "value", "ttl", "reason"),
    [
        ("", 1, None, "bad-key"),
        ("k" * 256, 1, None, "bad-key"),
        ("a\0b", 1, None, "bad-key"),
        ("\ud800", 1, None, "bad-key"),
        ("k", float("nan"), None, "bad-value"),
        ("k", object(), None, "bad-value"),
        ("k", "x" * 65_535, None, "too-large"),
        ("k", 1, timedelta(0), "bad-value"),
        ("k", 1, timedelta(days=4000), "bad-value"),
    ],
)
def test_what_cannot_be_stored_is_an_error_with_a_reason(key: str, value: Any, ttl: Any, reason: str) -> None:
    async def scenario(state: MemoryState) -> None:
        with pytest.raises(StateError) as caught:
            await state.set(key, value, ttl)
        assert caught.value.reason == reason

    run(scenario)


def test_there_are_at_most_a_thousand_values() -> None:
    async def scenario(state: MemoryState) -> None:
        for number in range(MAX_VALUES):
            await state.set(f"k{number}", number)
        with pytest.raises(StateError) as caught:
            await state.set("more", 1)
        assert caught.value.reason == "full"
        await state.set("k0", "still")
        await state.delete("k1")
        await state.set("more", 1)

    run(scenario)


class TalkSettings(Settings):
    """Settings of an action of somebody else's."""

    token: SecretName


class Talk(Action[TalkSettings]):
    """An action as a third party writes it."""

    name = "talk"

    async def run(self, call: ActionCall[TalkSettings]) -> Outcome:
        """Use both."""
        token = call.secrets.require(call.settings.token)
        return Outcome.done({"length": len(token), "runs": await call.state.add("runs")})


def test_an_action_under_test_has_the_secrets_and_the_state_that_the_test_gives() -> None:
    state = MemoryState()
    outcomes = [run_action(Talk, {"token": "CRM"}, secrets={"CRM": "four"}, state=state) for _ in range(2)]
    assert [outcome.output for outcome in outcomes] == [{"length": 4, "runs": 1}, {"length": 4, "runs": 2}]


def test_an_action_under_test_has_no_other_secrets() -> None:
    call = call_for(Talk, {"token": "CRM"})
    assert call.secrets.get("CRM") is None
    with pytest.raises(SecretMissing, match="CRM"):
        call.secrets.require("CRM")
