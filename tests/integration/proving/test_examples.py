"""Tests of hooks, run by the real engine: real snippets in a real sandbox, real signatures, no network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hookrt.cli.demo.stage import InventedSecrets
from hookrt.config.load import LoadOptions, load
from hookrt.proving.bench import Bench
from hookrt.testing.exchange import ReceivedRequest

HOOK = """\
hooks:
  one:
    on: Order.Paid
    {hook}
    tests:
      - name: an order
        event: {{data: {{id: 7, lines: [{{sku: a, n: 1}}], note: x}}}}
        {test}
"""
SEND = "steps: [{webhook: {url: https://shop.example.com/in?x=1, headers: {x-id: '${{ event.id }}'}}}]"


def hook(steps: str, test: str = "fires: true") -> str:
    return HOOK.format(hook=steps, test=test)


def test_a_test_that_is_as_expected_passes(proving: Any) -> None:
    request = "{method: post, path: /in, headers: {X-Id: test}, body: {type: Order.Paid, data: {lines: [{sku: a}]}}}"
    assert proving.said(hook(SEND, f"steps: {{webhook: {{request: {request}}}}}")) == []


def test_of_objects_the_given_keys_must_be_equal_and_each_difference_has_its_place(proving: Any) -> None:
    said = proving.said(hook(SEND, "steps: {webhook: {request: {body: {data: {id: 8, note: x, more: 1}}}}}"))
    assert said == [
        "8:55 steps.webhook.request.body.data.id is not as expected\n    expected  8\n    got       7",
        "8:73 steps.webhook.request.body.data.more is not as expected\n    expected  1\n    got       nothing",
    ]


def test_lists_must_be_of_the_same_length(proving: Any) -> None:
    [said] = proving.said(hook(SEND, "steps: {webhook: {request: {body: {data: {lines: []}}}}}"))
    assert "steps.webhook.request.body.data.lines is not as expected" in said
    assert '+     "sku": "a",' in said


def test_a_difference_far_down_in_something_long_is_shown(proving: Any) -> None:
    words = ", ".join(f"word{n}" for n in range(2000))
    steps = "steps: [{webhook: {url: https://a.example.com, body: [" + words + ", last]}}]"
    [said] = proving.said(hook(steps, f"steps: {{webhook: {{request: {{body: [{words}, one, more]}}}}}}"))
    assert said.splitlines()[2:] == [
        *("      …" if n is None else f'        "word{n}",' for n in (1997, 1998, 1999)),
        '    -   "one",',
        '    -   "more"',
        '    +   "last"',
        "      ]",
    ]


def test_a_step_without_a_stub_is_answered_200(proving: Any) -> None:
    assert proving.said(hook(SEND, "steps: {webhook: {output: {status: 200, body: {}}, status: succeeded}}")) == []


def test_retries_pass_in_no_time_and_each_gets_the_next_answer(proving: Any) -> None:
    step = "{stub: [503, {error: timeout}, {status: 201, body: {ok: true}}], attempts: 3, output: {body: {ok: true}}}"
    assert proving.said(hook(SEND, f"steps: {{webhook: {step}}}")) == []


def test_the_last_answer_is_given_to_all_further_requests_until_the_delivery_is_dead(proving: Any) -> None:
    test = "status: dead\n        reason: status\n        steps: {webhook: {stub: 503, outcome: retry, attempts: 11}}"
    [said] = proving.said(hook(SEND, test))
    assert "steps.webhook.attempts" in said
    assert proving.said(hook(SEND, "status: dead\n        reason: status\n        steps: {webhook: {stub: 503}}")) == []
    assert proving.said(hook(SEND, "steps: {webhook: {stub: 410, outcome: reject, reason: gone}}")) == []


def test_a_delivery_that_dies_unexpectedly_fails_the_test_and_says_why(proving: Any) -> None:
    [said] = proving.said(hook(SEND, "steps: {webhook: {stub: 410}}"))
    assert said.startswith("8:17 the delivery is dead, since the step 'webhook' failed | webhook: gone: the endpoint")


def test_a_snippet_really_runs_in_its_sandbox(proving: Any) -> None:
    steps = """steps:
      - id: sum
        python: |
          def run(event, ctx):
              return {"n": sum(line["n"] for line in event["data"]["lines"]), "at": event["time"]}
      - webhook: {url: https://a.example.com, body: "${{ steps.sum.output.n }}"}"""
    test = "steps: {sum: {output: {n: 1, at: 2026-01-01T12:00:00Z}}, webhook: {request: {body: 1}}}"
    assert proving.said(hook(steps, test)) == []


def test_what_a_snippet_asks_for_by_http_is_answered_by_the_stub(proving: Any) -> None:
    steps = """steps:
      - id: ask
        python:
          allow: {http: [https://api.example.com]}
          code: |
            def run(event, ctx):
                return ctx.http.get("https://api.example.com/rate").json()"""
    test = "steps: {ask: {stub: {body: {rate: 2}}, output: {rate: 2}, request: [{method: GET, path: /rate}]}}"
    assert proving.said(hook(steps, test)) == []


def test_a_snippet_that_fails_names_its_line(proving: Any) -> None:
    steps = "steps: [{python: \"def run(event, ctx):\\n    return event['data']['nothing']\"}]"
    [said] = proving.said(hook(steps))
    assert said.startswith("6:15 the delivery is dead, since the step 'python' failed | python: error: ")
    assert "KeyError" in said


def test_an_action_with_other_ways_out_needs_an_output(proving: Any) -> None:
    steps = "steps: [{letter: {to: '${{ event.data.note }}'}}, {log: \"${{ steps.letter.output.id }}\"}]"
    [said] = proving.said(hook(steps))
    assert said == (
        "6:15 the step 'letter' runs `letter`, which may reach more of the outside than HTTP: "
        "give the step an output in the test: `stub: {output: ...}`"
    )
    test = "steps: {letter: {stub: {output: {id: L1}}, settings: {to: x}}, log: {settings: {message: L1}}}"
    assert proving.said(hook(steps, test)) == []


def test_a_snippet_that_cannot_run_here_is_refused_in_one_line(proving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookrt.plugin import PluginError

    async def fail(self: Any, setup: Any) -> None:
        raise PluginError("no worker starts on this machine")

    monkeypatch.setattr(proving.registry.actions["python"], "open", fail)
    steps = "steps: [{python: 'def run(event, ctx): return 1'}]"
    [said] = proving.said(hook(steps))
    assert said == (
        "6:15 the step 'python' cannot run here (no worker starts on this machine): "
        "give the step an output in the test: `stub: {output: ...}`"
    )
    assert proving.said(hook(steps, "steps: {python: {stub: {output: 1}}}")) == []


def test_a_hook_that_does_not_fire_says_why(proving: Any) -> None:
    [said] = proving.said(hook("when: event.data.id == 8\n    " + SEND))
    assert said.startswith("9:16 the event does not fire the hook | event.data.id == 8 is false")
    assert proving.said(hook("when: event.data.id == 8\n    " + SEND, "fires: false")) == []
    [said] = proving.said(hook(SEND, "fires: false"))
    assert said == "8:16 the event fires the hook"


def test_all_hooks_that_fire_can_be_listed(proving: Any) -> None:
    other = "  two: {on: Order.*, steps: [{log: x}]}\n  three: {on: Other, steps: [{log: x}]}\n"
    assert proving.said(hook(SEND, "hooks: [two, one]") + other) == []
    [said] = proving.said(hook(SEND, "hooks: one") + other)
    assert said.startswith("8:16 hooks is not as expected")


def test_expressions_see_the_variables_of_the_test_and_no_others(proving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "us")
    steps = "steps: [{webhook: {url: https://a.example.com, headers: {x-region: '${{ env.REGION }}'}}}]"
    test = "env: {REGION: eu}\n        steps: {webhook: {request: {headers: {x-region: eu}}}}"
    assert proving.said(hook(steps, test)) == []
    [said] = proving.said(hook(steps))
    assert "REGION" in said


def test_secrets_are_invented_and_masked(proving: Any) -> None:
    steps = "steps: [{webhook: {url: https://a.example.com, headers: {authorization: 'Bearer ${{ secrets.TOKEN }}'}}}]"
    [said] = proving.said(hook(steps, "steps: {webhook: {request: {headers: {authorization: none}}}}"))
    assert "Bearer ***" in said
    assert "whsec_" not in said
    assert proving.said(hook(steps, "steps: {webhook: {request: {headers: {authorization: Bearer ***}}}}")) == []


def test_the_request_is_signed_as_in_reality(proving: Any) -> None:
    proving.path.write_text(
        hook("steps: [{webhook: {to: shop}}]")
        + "destinations: {shop: {url: https://a.example.com, signing_secret: '${{ secrets.SHOP }}'}}\n"
    )
    secrets = InventedSecrets()
    loaded = load(proving.path, LoadOptions(registry=proving.registry, env={}, last_resort=[secrets])).configuration
    assert loaded is not None

    async def play() -> Any:
        async with Bench(loaded, proving.registry) as bench:
            return await bench._play(loaded.tests[0], loaded.hooks[0])

    played = asyncio.run(play())
    [sent] = played.stage.requests["webhook"]
    received = ReceivedRequest(sent.method, sent.url, sent.headers, sent.body)
    received.verify(secrets.made["SHOP"], now=loaded.tests[0].event.time)


def test_an_address_that_reality_would_block_is_blocked(proving: Any) -> None:
    steps = "steps: [{webhook: {url: 'http://${{ event.data.note }}/'}}]"
    test = "event: {data: {note: 127.0.0.1}}"
    text = hook(steps).replace("event: {data: {id: 7, lines: [{sku: a, n: 1}], note: x}}", test)
    [said] = proving.said(text)
    assert "blocked-address" in said


def test_a_skipped_step_and_one_that_is_not_reached(proving: Any) -> None:
    steps = "steps: [{id: a, when: 'false', log: x}, {id: b, webhook: https://a.example.com}, {id: c, log: x}]"
    test = "steps: {a: {status: skipped}, b: {stub: 410, status: failed}, c: {status: not-run}}"
    assert proving.said(hook(steps, test)) == []


def test_what_a_step_emits_is_told(proving: Any) -> None:
    steps = "steps: [{emit: {type: Order.Booked}}]"
    assert proving.said(hook(steps, "steps: {emit: {emits: Order.Booked, output: {count: 1}}}")) == []
    [said] = proving.said(hook(steps, "steps: {emit: {emits: [Order.Lost]}}"))
    assert said.startswith("8:32 steps.emit.emits[0] is not as expected")


def test_a_sample_is_the_event_and_parts_of_it_can_be_changed(proving: Any) -> None:
    text = """\
hooks:
  one:
    on: PostRegister
    steps: [{webhook: https://a.example.com}]
    tests:
      - sample: PostRegister
        event: {data: {user: {primaryEmail: ada@acme.com}}}
        steps: {webhook: {request: {body: {data: {nothing: null, user: {primaryEmail: ada@acme.com}}}}}}
"""
    assert proving.said(text) == []
    [result] = proving.run(text)
    assert result.test.name == "#1"
    assert result.test.event.data["user"].keys() > {"primaryEmail"}


def test_tests_of_one_hook_share_nothing(proving: Any) -> None:
    counting = """\
hooks:
  one:
    on: Tick
    steps:
      - python:
          allow: {state: true}
          code: |
            def run(event, ctx):
                return ctx.state.add("n", 1)
    tests:
      - {event: Tick, steps: {python: {output: 1}}}
      - {event: Tick, steps: {python: {output: 1}}}
"""
    assert [result.passed for result in proving.run(counting)] == [True, True]


def test_a_hook_that_decides_is_tested_like_others(proving: Any) -> None:
    text = """\
hooks:
  gate:
    on: PreRegister
    mode: decide
    on_error: deny
    steps: [{python: "def run(event, ctx): return {'decision': 'deny'}"}]
    tests:
      - {event: PreRegister, hooks: gate, steps: {python: {output: {decision: deny}}}}
"""
    assert proving.said(text) == []
