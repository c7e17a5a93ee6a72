"""A corpus of hostile URLs: each gets the verdict that is written beside it, and none a connection."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookrt.plugin import HttpError, check_url

CORPUS: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "corpora" / "hostile_urls.yaml").read_text())
GROUPS = CORPUS["groups"]


def known_names() -> dict[str, list[str]]:
    return {str(name): list(addresses) for name, addresses in CORPUS["names"].items()}


async def refusal(http: Any, url: str) -> HttpError:
    with pytest.raises(HttpError) as raised:
        await http.send("POST", url, content=b"x")
    return raised.value


def each(*, metadata: bool = False) -> list[Any]:
    return [
        pytest.param(group, url, id=f"{group['name']}-{url!a}")
        for group in GROUPS
        if not metadata or group.get("metadata")
        for url in group["urls"]
    ]


def test_the_corpus_has_at_least_150_urls_each_once() -> None:
    urls = [url for group in GROUPS for url in group["urls"]]
    assert len(urls) == len(set(urls))
    assert len(urls) >= 150


@pytest.mark.parametrize(("group", "url"), each())
def test_a_hostile_url_is_refused_for_its_reason(kit: Any, group: dict[str, Any], url: str) -> None:
    async def run() -> None:
        async with kit.going_out(names=known_names()) as egress:
            error = await refusal(egress.http_for((), 30), url)
            assert error.reason == group["verdict"], error.message
            assert group["because"] in error.message
            assert error.permanent == (error.reason != "dns")

    asyncio.run(run())


@pytest.mark.parametrize(("group", "url"), each(metadata=True))
def test_a_metadata_service_is_refused_though_private_ranges_are_allowed(
    kit: Any, group: dict[str, Any], url: str
) -> None:
    async def run() -> None:
        allow = ("private", "0.0.0.0/0", "::/0", "meta.example.com", "metadata")
        async with kit.going_out(allow=allow, names=known_names()) as egress:
            error = await refusal(egress.http_for((url,), 30), url)
            assert error.reason == "blocked-address"
            assert group["because"] in error.message

    asyncio.run(run())


@pytest.mark.parametrize(("group", "url"), each())
def test_what_its_text_gives_away_is_refused_where_it_is_written(group: dict[str, Any], url: str) -> None:
    if group["check"] == "passes":
        assert check_url(url) == url
    else:
        with pytest.raises(ValueError, match="URL"):
            check_url(url)
