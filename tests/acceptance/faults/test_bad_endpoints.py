"""Endpoints that hang, drip or never end cost their own deliveries, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

HONEST = 300


def hook(on: str, url: str, timeout: str = "4s") -> dict[str, Any]:
    return {"on": on, "steps": [{"webhook": url, "timeout": timeout, "retry": "none"}]}


@pytest.mark.parametrize(("behaviour", "reason"), [("drip", "timeout"), ("hang", "timeout"), ("endless", "too-large")])
def test_a_bad_endpoint_ends_with_its_reason_and_disturbs_no_other(
    serve: Any, endpoints: Any, until: Any, behaviour: str, reason: str
) -> None:
    hooks = {"good": hook("Good", f"{endpoints.url}/ok")}
    origin = endpoints.url.replace("127.0.0.1", "localhost")  # a lane of its own
    destinations = {origin: {"breaker": "off"}}  # which would spare it most of them
    service = serve({"destinations": destinations, "hooks": {**hooks, "bad": hook("Bad", f"{origin}/{behaviour}")}})
    bad = service.emit(*["Bad"] * 40)  # more than its lane takes at once
    good = service.emit(*["Good"] * HONEST)
    until(lambda: service.count(hook="good", status="succeeded") == HONEST, lambda: service.shown)
    if behaviour != "endless":  # that one ends as soon as it has sent too much
        assert "succeeded" not in service.statuses(bad)
        assert service.count(hook="bad", status="dead") < len(bad)
    until(lambda: service.count(hook="bad", status="dead") == len(bad))
    [attempt] = service.delivery(bad[0])["attempts"]
    assert attempt["reason"] == reason
    assert endpoints.requests["/ok"] == len(good)
    assert endpoints.requests[f"/{behaviour}"] == len(bad)
    assert "Traceback" not in service.shown


def test_a_hundred_hanging_endpoints_among_ten_thousand_hooks_disturb_no_other(
    serve: Any, endpoints: Any, silent: Any, until: Any
) -> None:
    hanging = silent(100)
    hooks = {f"bad{n}": hook(f"Bad.N{n}", url, "600s") for n, url in enumerate(hanging)}
    hooks |= {f"good{n}": hook(f"Good.N{n}", f"{endpoints.url}/ok/{n}") for n in range(10_000 - len(hanging))}
    service = serve({"hooks": hooks})
    bad = service.emit(*[f"Bad.N{n}" for n in range(len(hanging)) for _ in range(3)])
    good = [f"Good.N{n}" for n in range(10_000 - len(hanging))]
    for start in range(0, len(good), 1_000):
        service.emit(*good[start : start + 1_000])
    until(lambda: sum(endpoints.requests.values()) >= len(good))
    until(lambda: service.count(status="succeeded") == len(good))
    assert service.statuses(bad) == ["running"] * len(bad)
    assert set(endpoints.requests.values()) == {1}
