"""The retry that Logto promises: up to three more attempts, after a status of 500 and above only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookrt.testing import Answer

Within = Callable[..., None]
Make = Callable[..., dict[str, Any]]

HOOK = "hooks: {sync: {on: PostSignIn, from: logto, steps: [{webhook: {to: app}, retry: RETRY}]}}\n"
LOGTO = HOOK.replace("RETRY", "logto")


def tries(within: Within, make: Make, hooks: str, *answers: Answer) -> tuple[int, str]:
    """How many requests came of one event, and how its one delivery ended."""
    told: list[tuple[int, str]] = []

    async def happens(world: Any) -> None:
        world.receiver.answer(*answers)
        requests = await world.take(make("PostSignIn"))
        [delivery] = await world.deliveries(hook="sync")
        assert len({(request.body, request.headers["logto-signature-sha-256"]) for request in requests}) == 1
        assert delivery["attempt_count"] == len(requests)
        told.append((len(requests), delivery["status"]))

    within(hooks, happens)
    return told[0]


@pytest.mark.parametrize("status", [500, 501, 599])
def test_34_a_server_error_is_tried_four_times_and_is_one_delivery(within: Within, make: Make, status: int) -> None:
    assert tries(within, make, LOGTO, Answer(status)) == (4, "dead")


def test_34_a_success_at_the_third_attempt_is_a_success(within: Within, make: Make) -> None:
    assert tries(within, make, LOGTO, Answer(500), Answer(500), Answer(200)) == (3, "succeeded")


def test_34_another_error_is_tried_once(within: Within, make: Make) -> None:
    assert tries(within, make, LOGTO, Answer(400)) == (1, "dead")


@pytest.mark.parametrize("wish", ["0", "86400"])
def test_35_retry_after_changes_nothing(within: Within, make: Make, wish: str) -> None:
    assert tries(within, make, LOGTO, Answer(503, headers={"retry-after": wish})) == (4, "dead")


def test_35_a_broken_connection_is_tried_once(within: Within, make: Make) -> None:
    assert tries(within, make, LOGTO, Answer(fault="reset")) == (1, "dead")


@pytest.mark.parametrize(("retry", "count"), [("none", 1), ("[300ms]", 2)])
def test_35_fewer_retries_can_be_chosen(within: Within, make: Make, retry: str, count: int) -> None:
    assert tries(within, make, HOOK.replace("RETRY", retry), Answer(500)) == (count, "dead")
