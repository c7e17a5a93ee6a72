"""Logto's tests of its hook routes, as hookrt has it: hooks stand in hooks.yaml, the API shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt import verify
from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.plugin.manager import load_plugins
from hookrt.testing import Answer

Within = Callable[..., None]

ONE = """
hooks:
  sync:
    on: [PostRegister, PostSignIn]
    steps: [{webhook: {to: app}}]
"""
TWO = (
    ONE
    + """
  audit:
    on: User.Deleted
    steps: [{webhook: {to: app}}]
"""
)


def read(tmp_path: Path, hooks: str) -> Loaded:
    (tmp_path / "hooks.yaml").write_text(hooks)
    return load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env={}))


def problems(tmp_path: Path, hooks: str) -> str:
    loaded = read(tmp_path, hooks)
    assert loaded.configuration is None
    return "\n".join(map(str, loaded.problems))


def test_01_a_hook_is_added_listed_shown_changed_and_removed(within: Within) -> None:
    async def happens(world: Any) -> None:
        [listed] = (await world.get("/v1/hooks"))["items"]
        shown = await world.get("/v1/hooks/sync")
        assert {**listed, "stats": None} == {**shown, "stats": None}
        assert shown["on"] == ["PostRegister", "PostSignIn"]
        await world.rewrite(ONE.replace("[PostRegister, PostSignIn]", "[PostSignIn]"))
        assert (await world.get("/v1/hooks/sync"))["on"] == ["PostSignIn"]
        await world.rewrite("hooks: {}\n")
        gone = await world.client.get("/v1/hooks/sync")
        assert (gone.status_code, gone.json()["type"]) == (404, "urn:hookrt:problem:not-found")

    within(ONE, happens)


def test_02_one_event_without_a_list_and_two_retries_of_the_older_form(within: Within, make: Any) -> None:
    async def happens(world: Any) -> None:
        assert (await world.get("/v1/hooks/old"))["on"] == ["PostRegister"]
        world.receiver.answer(Answer(500))
        assert len(await world.take(make("PostRegister"))) == 3
        await world.rewrite(old.replace("PostRegister", "PostSignIn"))
        assert (await world.get("/v1/hooks/old"))["on"] == ["PostSignIn"]

    old = "hooks: {old: {on: PostRegister, steps: [{webhook: {to: app}, retry: [10ms, 20ms]}]}}\n"
    within(old, happens)


def test_03_a_page_of_hooks_says_where_the_next_begins(within: Within) -> None:
    async def happens(world: Any) -> None:
        first = await world.get("/v1/hooks", limit=1)
        second = await world.get("/v1/hooks", limit=1, cursor=first["next"])
        assert [page["items"][0]["name"] for page in (first, second)] == ["audit", "sync"]
        assert second["next"] is None
        for bad in ("0", "501", "x"):
            assert (await world.client.get("/v1/hooks", params={"limit": bad})).status_code == 400

    within(TWO, happens)


def test_04_an_empty_name_is_refused(tmp_path: Path) -> None:
    told = problems(tmp_path, 'hooks: {"": {on: PostSignIn, steps: [{log: hello}]}}\n')
    assert "hooks.yaml:1" in told


@pytest.mark.parametrize("events", ["", "on: [], "])
def test_05_a_hook_without_events_is_refused(tmp_path: Path, events: str) -> None:
    told = problems(tmp_path, f"hooks: {{sync: {{{events}steps: [{{log: hello}}]}}}}\n")
    assert "on" in told


def test_06_the_event_of_adaptive_mfa_is_known(tmp_path: Path) -> None:
    source = "sources: {logto: {logto: a-signing-key}}\n"
    hook = "hooks: {mfa: {on: [PostSignIn, EVENT], from: logto, steps: [{log: hello}]}}\n"
    assert not read(tmp_path, source + hook.replace("EVENT", "PostSignInAdaptiveMfaTriggered")).problems
    [near] = read(tmp_path, source + hook.replace("EVENT", "PostSignInAdaptiveMfaTrigered")).problems
    assert "PostSignInAdaptiveMfaTriggered" in str(near)


@pytest.mark.parametrize("route", ["disable", "enable", "test"])
def test_07_what_is_asked_of_an_unknown_hook_is_not_found(within: Within, route: str) -> None:
    async def happens(world: Any) -> None:
        answer = await world.client.post(f"/v1/hooks/nobody/{route}", json={})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:hookrt:problem:not-found")

    within(ONE, happens)


def test_36_an_event_nobody_declares_is_warned_of_and_kept(tmp_path: Path) -> None:
    text = "sources: {logto: {logto: key}}\nhooks: {a: {on: PostSingIn, from: logto, steps: [{log: hello}]}}\n"
    loaded = read(tmp_path, text)
    assert loaded.configuration is not None
    assert loaded.configuration.hooks[0].patterns == ("PostSingIn",)
    assert any("PostSignIn" in str(problem) for problem in loaded.problems)


def test_36_the_window_of_a_list_must_not_end_before_it_begins(within: Within) -> None:
    async def happens(world: Any) -> None:
        early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
        for path in ("/v1/deliveries", "/v1/events"):
            answers = [
                await world.client.get(path, params={"since": since, "until": until})
                for since, until in ((late, early), (early, early), (early, late), ("yesterday", late))
            ]
            assert [answer.status_code for answer in answers] == [400, 200, 200, 400]
            assert "nothing can be between them" in answers[0].json()["detail"]

    within(ONE, happens)


def test_a_signing_key_is_rotated_with_an_overlap(within: Within, make: Any) -> None:
    """The source takes both keys, and what goes out is signed by the first that has not ended."""

    parts = """
service: {egress: {allow: [127.0.0.0/8]}, poll: 50ms}
sources:
  logto: {logto: {secret: ["${{ secrets.LOGTO_KEY }}", "${{ secrets.LOGTO_NEXT }}"]}}
destinations:
  app: {url: URL/app, format: logto, signing: {scheme: logto, secret: [OLD, new-key]}, breaker: off}
"""

    async def happens(world: Any) -> None:
        ended, lasting = timedelta(minutes=-1), timedelta(hours=1)
        for left, expected in ((lasting, "old-key"), (ended, "new-key")):
            old = f"{{secret: old-key, until: {(datetime.now(UTC) + left).isoformat(timespec='seconds')}}}"
            world.file.write_text(parts.replace("OLD", old).replace("URL", world.receiver.url) + ONE)
            assert (await world.runtime.reload()).accepted
            assert (await world.send(make("PostSignIn"))).status_code == 200
            assert (await world.send(make("PostSignIn"), "next-key")).status_code == 200
            assert (await world.send(make("PostSignIn"), "other-key")).status_code == 401
            await world.settled()
            verify(world.receiver.requests[-1].headers, world.receiver.requests[-1].body, expected, scheme="logto")

    within(ONE, happens, HOOKRT_SECRET_LOGTO_NEXT="next-key")


def test_the_key_in_a_file_is_never_shown(within: Within) -> None:
    async def happens(world: Any) -> None:
        shown = [await world.client.get(path) for path in ("/v1/hooks", "/v1/sources/logto", "/v1/config")]
        for answer in shown:
            assert "n2VqMsTcGnHV" not in answer.text
            assert "a8TzPq1LxWm5" not in answer.text

    within(ONE, happens)
