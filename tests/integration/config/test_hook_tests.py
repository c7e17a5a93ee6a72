"""`tests:` of hooks: everything wrong in them is found by `check`, with its place."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from hookrt.config.schema import build_schema

HOOK = """\
hooks:
  one:
    on: [Order.Paid]
    steps: [{{say: hello}}, {{id: two, say: hello}}]
    tests:
      - {}
  other:
    on: Order.**
    steps: [{{say: hello}}]
"""


def test_tests_are_read_with_their_places(bench: Any) -> None:
    text = HOOK.format("{name: paid, event: {data: {n: 1}}, env: {A: 1}, steps: {two: {stub: 503, attempts: 2}}}")
    loaded = bench.load(text)
    assert loaded.configuration is not None, loaded.problems
    [test] = loaded.configuration.tests
    assert (test.hook, test.name, str(test.written.place)) == ("one", "paid", "hooks.yaml:6:16")
    assert (test.event.type, test.event.data, test.event.source) == ("Order.Paid", {"n": 1}, "test")
    assert (test.env, test.fires.value) == ({"A": "1"}, True)
    assert test.steps["two"].answers[0].status == 503
    assert str(test.steps["two"].expected["attempts"].written().place).startswith("hooks.yaml:6:")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("{event: A, expect: 1}", "6:20 a test has no key 'expect' | did you mean 'steps'?"),
        ("{event: A, step: {}}", "6:20 a test has no key 'step' | did you mean 'steps'?"),
        ("{name: x}", "6:9 a test needs an `event`, or a `sample` of one | `event: {type: ..., data: ...}`"),
        ("{evnt: {data: {}}}", "6:10 a test has no key 'evnt' | did you mean 'event'?"),
        ("{sample: Nothing}", "6:18 no source brings a sample of 'Nothing'"),
        ("{event: {typ: A}}", "6:18 `event` has no key 'typ' | did you mean 'type'?"),
        ("{event: 'a b'}", "6:17 this can be no event: 'type' is 'a b'"),
        ("{event: {time: noon}}", "6:24 'noon' is no time with a zone | write it like 2026-01-01T12:00:00Z"),
        ("{event: A, hooks: [one, othr]}", "6:33 there is no hook 'othr' | did you mean 'other'?"),
        ("{event: A, fires: maybe}", "6:27 `fires` must be true or false, this is 'maybe'"),
        ("{event: A, fires: true, hooks: [other]}", "6:27 `fires` is true, and `hooks` does not list 'one'"),
        ("{event: A, fires: false, status: dead}", "6:34 `status` says nothing where the hook does not fire"),
        ("{event: A, status: succeded}", "6:28 `status` cannot be 'succeded' | did you mean 'succeeded'?"),
        ("{event: A, env: {HOOKRT_X: 1}}", "6:26 expressions see no variable that begins with HOOKRT_"),
        ("{event: A, steps: {tow: {}}}", "6:28 the hook 'one' has no step 'tow' | did you mean 'two'?"),
        ("{event: A, steps: {two: {stubs: 1}}}", "6:34 a step of a test has no key 'stubs' | did you mean 'stub'?"),
        ("{event: A, steps: {two: {stub: 99}}}", "6:40 a stub's status is a number from 100 to 599, this is '99'"),
        ("{event: A, steps: {two: {stub: {satus: 1}}}}", "6:41 a stub has no key 'satus' | did you mean 'status'?"),
        ("{event: A, steps: {two: {stub: {error: time}}}}", "6:48 `error` cannot be 'time'"),
        ("{event: A, steps: {two: {stub: []}}}", "6:40 a list of stubs needs one at least"),
        ("{event: A, steps: {two: {stub: {error: dns, body: 1}}}}", "6:53 `body` says nothing where no answer comes"),
        ("{event: A, steps: {two: {status: done}}}", "6:42 `status` cannot be 'done'"),
        ("{event: A, steps: {two: {outcome: retyr}}}", "6:43 `outcome` cannot be 'retyr' | did you mean 'retry'?"),
        ("{event: A, steps: {two: {attempts: two}}}", "6:44 `attempts` must be a number"),
        ("{event: A, steps: {two: {request: {bdy: 1}}}}", "6:44 `request` has no key 'bdy' | did you mean 'body'?"),
        ("{event: A, steps: {two: {output: {n: 1.10}}}}", "6:46 1.10 is a number that would become 1.1"),
    ],
)
def test_what_is_wrong_in_a_test_is_said_with_its_place(bench: Any, test: str, said: str) -> None:
    errors = bench.errors(HOOK.format(test))
    assert errors, test
    assert errors[0].startswith(said), errors[0]


def test_two_tests_of_a_hook_have_two_names(bench: Any) -> None:
    [error] = bench.errors(HOOK.format("{name: a, event: A}\n      - {name: a, event: A}"))
    assert error == "7:16 two tests of the hook 'one' are named 'a'"


def test_tests_must_be_a_list(bench: Any) -> None:
    [error] = bench.errors(HOOK.format("{event: A}").replace("tests:\n      - {", "tests: {"))
    assert error.startswith("5:5 `tests` must be a list")


def test_the_type_of_the_event_is_needed_where_the_hook_is_for_several(bench: Any) -> None:
    text = HOOK.format("{event: {data: 1}}").replace("[Order.Paid]", "Order.*")
    assert bench.errors(text) == ["6:17 the event needs a `type`, since the hook is for several"]


def test_a_changed_test_changes_nothing_of_the_hook(bench: Any) -> None:
    first, second = bench.load(HOOK.format("{event: A}")), bench.load(HOOK.format("{event: B}"))
    without = bench.load(HOOK.format("{event: B}").replace("    tests:\n      - {event: B}\n", ""))
    digests = {one.configuration.hooks[0].definition for one in (first, second, without)}
    assert len(digests) == 1


def test_the_json_schema_knows_tests(bench: Any) -> None:
    schema = build_schema(bench.registry)
    steps = {"two": {"stub": [503, {"body": {"a": 1}}], "request": {"body": 1}, "emits": "A"}}
    hook = {"on": "A", "steps": [{"say": "x"}], "tests": [{"event": {"data": 1}, "steps": steps, "fires": True}]}
    jsonschema.validate({"hooks": {"one": hook}}, schema)
    for stub in ({"error": "dns", "body": 1}, []):
        steps["two"]["stub"] = stub
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"hooks": {"one": hook}}, schema)
    for wrong in ({"event": "A", "expects": 1}, {"name": "no event"}, {"event": "A", "steps": {"two": {"stub": 99}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"hooks": {"one": {**hook, "tests": [wrong]}}}, schema)
