from __future__ import annotations

from typing import Any

import pytest

HOOK = "hooks:\n  one:\n    on: A\n    steps:\n"


def ids(bench: Any, steps: str) -> list[str]:
    return [step.id for step in bench.hook(HOOK + steps).steps]


def test_a_step_is_called_after_its_action_then_2_then_3(bench: Any) -> None:
    steps = "      - say: a\n" * 3 + "      - bare:\n"
    assert ids(bench, steps) == ["say", "say_2", "say_3", "bare"]


def test_a_default_id_gives_way_to_a_written_one(bench: Any) -> None:
    assert ids(bench, "      - say: a\n      - {say: b, id: say}\n") == ["say_2", "say"]


def test_the_id_of_an_action_with_its_distribution_is_the_action_name(bench: Any) -> None:
    bench.registry.actions["acme-kit:say"] = bench.registry.actions["say"]
    assert ids(bench, '      - "acme-kit:say": a\n') == ["say"]


@pytest.mark.parametrize("name", ["Upper", "2nd", "a-b", "ü", "a" * 65])
def test_a_step_id_has_lower_case_letters_digits_and_underscores(bench: Any, name: str) -> None:
    [error] = bench.step_errors(f"- id: {name}\n  say: x")
    assert error.startswith("6:13 ")
    assert "is no step id" in error


def test_a_step_id_that_is_a_number_wants_quotes(bench: Any) -> None:
    assert bench.step_errors("- id: 5\n  say: x") == ["6:13 `id` must be text, and '5' is not | quote it: \"5\""]


def test_a_repeated_step_id_is_an_error_that_names_the_first(bench: Any) -> None:
    assert bench.errors(HOOK + "      - {id: a, say: x}\n      - {id: a, say: y}\n") == [
        "6:14 the step id 'a' stands here twice, the first time in line 5"
    ]


def test_an_unknown_action_is_an_error_with_a_did_you_mean(bench: Any) -> None:
    assert bench.step_errors("- sya: x") == ["6:9 there is no action 'sya' | did you mean 'say'?"]


def test_an_unknown_action_that_is_like_none_lists_actions_only(bench: Any) -> None:
    [error] = bench.step_errors("- qqqqqqq: x")
    assert "it can be " in error
    listed = error.partition("it can be ")[2].split(", ")
    assert "say" in listed
    assert not {"id", "when", "timeout", "retry", "continue_on_error"} & set(listed)


def test_an_action_whose_plugin_failed_to_load_says_so(bench: Any) -> None:
    [error] = bench.step_errors("- sms: x")
    assert error == (
        "6:9 there is no action 'sms' | the plugin hookrt-sms 1.2 failed to load: ImportError: no module named sms"
    )


def test_an_ambiguous_action_says_how_to_write_it(bench: Any) -> None:
    bench.registry.ambiguous["text"] = ("acme", "other")
    [error] = bench.step_errors("- text: x")
    assert "acme:text or other:text" in error


def test_a_step_has_exactly_one_action(bench: Any) -> None:
    assert bench.step_errors("- say: x\n  bare: {}") == [
        "7:9 a step has one action, this has `say` and `bare` | make each a step of its own, beginning with `- `"
    ]
    [error] = bench.step_errors("- when: true")
    assert "this step has no action" in error
    assert "say" in error


def test_an_unknown_key_beside_an_action_is_an_error(bench: Any) -> None:
    assert bench.step_errors("- say: x\n  retries: 3") == ["7:9 a step has no key 'retries' | did you mean 'retry'?"]
    assert bench.step_errors("- say: x\n  mode: 3") == [
        "7:9 a step has no key 'mode' | beside its action a step takes id, when, timeout, retry, max_retry_after, "
        "continue_on_error"
    ]


def test_a_setting_that_slipped_out_of_its_action_is_told_so(bench: Any) -> None:
    assert bench.step_errors("- post: https://a.example\n  headers: {}") == [
        "7:9 a step has no key 'headers' | it is a setting of `post`: indent it below that key"
    ]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("    steps: []", "4:5 a hook needs at least one step"),
        ("    steps:", "4:5 a hook needs at least one step"),
        ("    steps: {say: x}", "4:12 `steps` must be a list, this is a mapping | begin each step with `- `"),
        ("    steps: say", "4:12 `steps` must be a list, this is text | write `- webhook: https://...` below it"),
        ("    steps: [say]", "4:13 a step is a mapping with one action in it, this is text"),
        ("    steps: [[say]]", "4:13 a step is a mapping with one action in it, this is a list"),
    ],
)
def test_steps_are_a_list_of_mappings(bench: Any, steps: str, message: str) -> None:
    [error] = bench.errors(f"hooks:\n  one:\n    on: A\n{steps}\n")
    assert error.startswith(message)


def test_a_hook_has_no_endless_list_of_steps(bench: Any) -> None:
    [error] = bench.errors(HOOK + "      - say: x\n" * 101)
    assert "at most 100 steps" in error


# What a step sees


def test_a_when_of_a_hook_sees_no_steps_one_of_a_step_does(bench: Any) -> None:
    assert bench.step("- say: x\n  when: steps.say.output == 1").when is not None
    [error] = bench.errors("hooks:\n  one:\n    on: A\n    when: steps.say.output == 1\n    steps:\n      - say: x\n")
    assert error.startswith("4:11 ")
    assert "steps" in error


def test_naming_a_later_or_unknown_step_is_an_error(bench: Any) -> None:
    later = HOOK + '      - say: "${{ steps.b.output }}"\n      - {id: b, say: x}\n'
    [error] = bench.errors(later)
    assert error.startswith("5:19 'b' is")
    [error] = bench.step_errors('- say: "${{ steps.nobody.output }}"')
    assert error.startswith("6:19 ")
    assert "nobody" in error


def test_a_step_with_a_problem_of_its_own_is_still_known_to_later_ones(bench: Any) -> None:
    steps = '      - {id: a, sya: x}\n      - say: "${{ steps.a.output }}"\n'
    assert bench.errors(HOOK + steps) == ["5:17 there is no action 'sya' | did you mean 'say'?"]


def test_a_condition_whose_type_is_not_bool_is_an_error(bench: Any) -> None:
    for condition in ("1 + 1", "event.type", "size('yes')", "null", "1"):
        [error] = bench.step_errors(f"- say: x\n  when: {condition}")
        assert error.startswith("7:15 ")
        assert "true or false" in error
    assert bench.step("- say: x\n  when: true").when is not None


def test_a_condition_may_stand_inside_an_expression(bench: Any) -> None:
    assert bench.step("- say: x\n  when: ${{ steps.say.output == 1 }}").when is not None


@pytest.mark.parametrize(("when", "message"), [("", "has no value"), ("[a]", "must be an expression")])
def test_a_condition_needs_an_expression(bench: Any, when: str, message: str) -> None:
    [error] = bench.step_errors(f"- say: x\n  when: {when}")
    assert message in error


def test_an_error_of_an_expression_has_its_own_column(bench: Any) -> None:
    assert bench.step_errors("- say: x\n  when: evnt.type == 'a'") == [
        "7:15 unknown name 'evnt'; did you mean 'event'?"
    ]
    block = "- say: x\n  when: |\n    event.type == 'a' &&\n      lenth(event.type) > 1"
    [error] = bench.step_errors(block)
    assert error.startswith("9:13 ")


def test_secrets_have_no_place_in_a_condition(bench: Any) -> None:
    [error] = bench.step_errors("- say: x\n  when: secrets.KEY == 'a'")
    assert error.startswith("7:15 ")


def test_an_expression_has_four_kibibytes_at_most(bench: Any) -> None:
    [error] = bench.step_errors(f"- say: x\n  when: event.type == '{'a' * 4100}'")
    assert "4,096" in error


def test_env_is_known_but_not_that_of_hookrt(bench: Any) -> None:
    assert bench.step('- say: "${{ env.HOME }}"')
    [error] = bench.step_errors('- say: "${{ env.HOOKRT_TOKEN }}"')
    assert error.startswith("6:19 ")


# Outputs worth keeping


@pytest.mark.parametrize(
    ("later", "kept"),
    [
        ("say: x", False),
        ('say: "${{ steps.a.output }}"', True),
        ('say: "${{ steps.a.status }}"', True),
        ('say: "${{ string(size(steps)) }}"', True),
        ("say: x\n        when: steps.a.output == 1", True),
        ("snippet: x = 1", False),
        ('snippet: x = ctx["steps"]["a"]', True),
    ],
)
def test_an_output_is_kept_only_if_a_later_step_mentions_it(bench: Any, later: str, kept: bool) -> None:
    first, second = bench.hook(HOOK + f"      - {{id: a, say: x}}\n      - {later}\n").steps
    assert first.keeps_output is kept
    assert second.keeps_output is False


def test_a_step_has_what_was_written(bench: Any) -> None:
    step = bench.step("- id: last\n  say: x\n  continue_on_error: true\n  timeout: 2s")
    assert (step.id, step.action, step.continue_on_error) == ("last", "say", True)
    assert step.lane == "hook:one"
    assert str(step.place) == "hooks.yaml:7:9"


def test_an_action_may_begin_before_its_steps_are_checked_and_may_fail_at_that(bench: Any) -> None:
    asked = bench.registry.actions["eager"].asked
    asked.clear()
    assert bench.step_errors("- eager:") == []
    assert asked == ["expect", "check"]
    for text in ("[eager]", "{a: {on: A, steps: {eager: }}, b: {on: A, steps: [eager]}, c: eager, d: {steps: eager}}"):
        assert bench.errors(f"hooks: {text}\n") != []
    assert asked == ["expect", "check"]
