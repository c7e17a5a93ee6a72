"""Where sockets really go, in a network namespace in which every address answers: beside the client without a guard."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt.egress.ranges import canonical
from hookrt.egress.target import read_target

INSIDE = Path(__file__).with_name("inside_namespace.py")
CORPUS = Path(__file__).parents[2] / "corpora" / "hostile_urls.yaml"
OWN = ("unshare", "--map-root-user", "--net")
PUBLIC = "93.184.216.34"


def is_possible() -> bool:
    """Whether this machine lets us have a network of our own."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    try:
        tried = [*OWN, "sh", "-ec", "ip link set lo up; ip -6 route add local ::/0 dev lo"]
        return subprocess.run(tried, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    if not is_possible():
        pytest.skip("no network namespaces here")
    command = [*OWN, sys.executable, str(INSIDE), str(CORPUS)]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_url_of_the_corpus_opens_a_socket(told: dict[str, Any]) -> None:
    went = {url: one["guarded"] for url, one in told["corpus"].items() if one["guarded"]}
    assert went == {"http://public.example.com/": [PUBLIC]}
    assert len(told["corpus"]) > 150


def test_without_the_guard_most_of_them_do(told: dict[str, Any]) -> None:
    went = [url for url, one in told["corpus"].items() if one["bare"]]
    assert len(went) > 150
    for expected, url in (("127.0.0.1", "http://0x7f.1/"), ("169.254.169.254", "http://2852039166/")):
        assert told["corpus"][url]["bare"] == [expected]


def test_what_the_guard_reads_is_where_the_client_connects(told: dict[str, Any]) -> None:
    this_machine = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    compared = 0
    for url, one in told["corpus"].items():
        if one["verdict"] == "dns":
            assert one["bare"] == [], url
        if one["verdict"] != "blocked-address" or not one["bare"]:
            continue
        target = read_target(url, ())
        if target.literal is not None:
            read = str(canonical(target.literal))
            assert one["bare"] == [this_machine.get(read, read)], url
            compared += 1
    assert compared > 130


@pytest.mark.parametrize("name", ["flip.example.com", "sly.example.com"])
def test_a_name_that_turns_inside_once_it_was_judged_finds_the_socket_elsewhere(
    told: dict[str, Any], name: str
) -> None:
    assert told["names"][name] == {"verdicts": ["sent"], "guarded": [PUBLIC], "asked": 1}


def test_a_name_that_is_inside_first_is_blocked_though_it_would_turn_outside(told: dict[str, Any]) -> None:
    assert told["names"]["flop.example.com"] == {"verdicts": ["blocked-address"], "guarded": [], "asked": 1}


@pytest.mark.parametrize("name", ["alias.example.com", "far.example.com", "many.example.com"])
def test_an_alias_of_something_inside_and_one_private_address_of_many_are_blocked(
    told: dict[str, Any], name: str
) -> None:
    assert told["names"][name]["verdicts"] == ["blocked-address"]
    assert told["names"][name]["guarded"] == []
