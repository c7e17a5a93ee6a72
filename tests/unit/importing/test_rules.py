"""The rules of adnanh/webhook in CEL: each kind, and that program's way to deal with missing values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookrt.config.document import parse_document
from hookrt.config.problem_log import ProblemLog
from hookrt.errors import ExpressionError
from hookrt.importing.adnanh.conditions import Conditions
from hookrt.importing.adnanh.rules import read_rule
from hookrt.importing.notes import Untranslatable
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.model.event import Event
from hookrt.model.hook import Scope


def match(path: str, value: Any = "x", kind: str = "value") -> dict[str, Any]:
    name = "regex" if kind == "regex" else "value"
    return {"match": {"type": kind, name: value, "parameter": {"source": "payload", "name": path}}}


def both(*rules: Any) -> dict[str, Any]:
    return {"and": list(rules)}


def either(*rules: Any) -> dict[str, Any]:
    return {"or": list(rules)}


def opposite(rule: Any) -> dict[str, Any]:
    return {"not": rule}


def written(rule: Any) -> str:
    node = parse_document(json.dumps(rule).encode(), "hooks.json", ProblemLog())
    assert node is not None
    return Conditions("event.data").truth(read_rule(node)).text


def fires(rule: Any, data: Any) -> bool:
    content = json.dumps(data).encode()
    event = Event(id="1", type="t", source="s", time=datetime.now(UTC), content=content)
    try:
        return compile_condition(written(rule), Names()).holds(Scope(event=event, hook="h"))
    except ExpressionError:
        return False


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (match("ref", "refs/heads/main"), 'get(event.data, "ref", "") == "refs/heads/main"'),
        (match("a.b", 1), 'get(event.data, "a.b", "") in ["1", 1]'),
        (match("a", "true"), 'get(event.data, "a", "") in ["true", true]'),
        (match("a", ""), 'get(event.data, "a", null) == ""'),
        (match("a", "^v1$", "regex"), 'string(get(event.data, "a", "")).matches("^v1$")'),
        (
            match("a", ".*", "regex"),
            'get(event.data, "a", null) != null && string(get(event.data, "a", "")).matches(".*")',
        ),
        (opposite(match("a")), 'get(event.data, "a", "") != "x"'),
        (
            both(opposite(match("a")), match("b")),
            'get(event.data, "a", null) != null && get(event.data, "a", "") != "x" && get(event.data, "b", "") == "x"',
        ),
        (
            opposite(match("a.b.c")),
            'get(event.data, "a.b.c", "") != "x" && event.data.?a.?b.orValue("") != null',
        ),
        ({}, "false"),
        (both(), "true"),
        (either(), "false"),
        (opposite({}), "true"),
        ({"or": [], **match("a")}, "false"),
        ({"and": None, **match("a")}, 'get(event.data, "a", "") == "x"'),
        (either({}, match("a")), 'get(event.data, "a", "") == "x"'),
        (both(either(match("a"), match("b")), match("c")), None),
    ],
)
def test_a_rule_is_written_so(rule: Any, text: str | None) -> None:
    if text is not None:
        assert written(rule) == text
    else:
        assert written(rule).startswith("(get(")


def test_an_empty_rule_never_fires_and_an_empty_and_always_does() -> None:
    assert [fires(rule, {}) for rule in ({}, both(), either(), opposite({}))] == [False, True, False, True]


@pytest.mark.parametrize(
    ("rule", "alone"),
    [(opposite(match("a")), True), (either(opposite(match("a"))), True), (both(opposite(match("a"))), False)],
)
def test_the_opposite_of_a_missing_value_fires_alone_and_inside_or_but_not_inside_and(rule: Any, alone: bool) -> None:
    assert fires(rule, {}) is alone
    assert fires(rule, {"a": "y"})
    assert not fires(rule, {"a": "x"})


def test_a_missing_value_ends_and_but_is_passed_over_by_or() -> None:
    assert not fires(both(match("a"), match("b")), {"b": "x"})
    assert fires(either(match("a"), match("b")), {"b": "x"})


def test_an_index_leads_into_a_list() -> None:
    assert fires(match("commits.1.id"), {"commits": [{}, {"id": "x"}]})
    assert not fires(match("commits.2.id"), {"commits": [{}, {"id": "x"}]})


def test_a_null_on_the_way_does_not_let_a_not_fire() -> None:
    assert not fires(opposite(match("a.b")), {"a": None})
    assert not fires(opposite(match("a.b.c")), {"a": {"b": None}})
    assert fires(opposite(match("a.b")), {"a": {}})


def test_a_not_through_a_list_needs_the_item_to_be_there() -> None:
    rule = opposite(match("l.1.n"))
    bodies = [{"l": ["x", {"n": "y"}]}, {"l": ["x", {}]}, {"l": ["x", None]}, {"l": []}, {}, {"l": [0, {"n": "x"}]}]
    assert [fires(rule, body) for body in bodies] == [True, True, False, False, False, False]


def test_a_pattern_is_found_anywhere_and_its_dollar_is_the_very_end() -> None:
    assert fires(match("a", "b+", "regex"), {"a": "abc"})
    assert not fires(match("a", "c$", "regex"), {"a": "abc\n"})
    assert not fires(match("a", "^$", "regex"), {})


def test_quotes_and_backslashes_stay_what_they_are() -> None:
    for text in ('"', "\\", "\n\t", "\u2028", "${x}", "' or '1' == '1", "a == b"):
        assert fires(match("a", text), {"a": text})
        assert not fires(match("a", text), {"a": text + "."})
    assert fires(match('k"k', "x"), {'k"k': "x"})
    assert fires(opposite(match("a == b", "x")), {"a == b": "y"})


@pytest.mark.parametrize(
    "rule",
    [
        match("a", "(", "regex"),
        match("a", "(?=x)", "regex"),
        match("a", "<nil>"),
        match("a", "x", "valu"),
        {"match": {"type": "ip-whitelist", "ip-range": "127.0.0.1/32"}},
        {"match": {"type": "scalr-signature", "secret": "s"}},
        {"match": {"type": "payload-hmac-sha256", "secret": "s", "parameter": {"source": "header", "name": "X"}}},
        {"match": {"type": "value", "value": "1", "parameter": {"source": "request", "name": "remote-addr"}}},
        {"match": {"type": "value", "value": "1", "parameter": {"source": "entire-payload"}}},
        {"match": {"type": "value", "value": "1", "parameter": {"source": "header", "name": "Host"}}},
        {"match": {"type": "value", "value": '{{ getenv "X" }}', "parameter": {"source": "payload", "name": "a"}}},
        {"and": "text"},
        {"not": []},
    ],
)
def test_what_means_nothing_here_is_not_translated(rule: Any) -> None:
    with pytest.raises(Untranslatable):
        written(either(rule, match("a")))


def test_a_number_that_yaml_would_change_is_not_guessed() -> None:
    node = parse_document(
        b"match: {type: value, value: 1.10, parameter: {source: payload, name: a}}", "f", ProblemLog()
    )
    assert node is not None
    with pytest.raises(Untranslatable, match="quote it"):
        read_rule(node)


MISSING = object()


def look_up(path: str, data: Any) -> Any:
    for part in path.split("."):
        if not isinstance(data, Mapping) or part not in data:
            return MISSING
        data = data[part]
    return data


def evaluate(rule: Any, data: Any) -> tuple[bool, bool]:
    """What adnanh/webhook makes of a rule: whether it is true, and whether a value was missing."""
    if "and" in rule:
        for item in rule["and"]:
            true, missing = evaluate(item, data)
            if missing or not true:
                return False, missing
        return True, False
    if "or" in rule:
        return any(evaluate(item, data)[0] for item in rule["or"]), False
    if "not" in rule:
        true, missing = evaluate(rule["not"], data)
        return not true, missing
    if "match" not in rule:
        return False, False
    found = look_up(rule["match"]["parameter"]["name"], data)
    if found is MISSING:
        return False, True
    text = found if isinstance(found, str) else json.dumps(found)
    if rule["match"]["type"] == "regex":
        return re.search(rule["match"]["regex"], text) is not None, False
    return text == str(rule["match"]["value"]), False


PATHS = st.sampled_from(["a", "b", "a.b", "a.c"])
LEAVES = st.one_of(
    st.builds(match, PATHS, st.sampled_from(["x", "y", "1", "true", ""])),
    st.builds(match, PATHS, st.sampled_from(["x", "^$", "[xy1]", ".*", "^tr"]), st.just("regex")),
    st.just({}),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(opposite, inner),
        st.lists(inner, max_size=3).map(lambda items: both(*items)),
        st.lists(inner, max_size=3).map(lambda items: either(*items)),
    ),
    max_leaves=6,
)
VALUES = st.sampled_from(["x", "y", "1", "true", "", 1, True])
DATA = st.fixed_dictionaries(
    {}, optional={"a": st.one_of(VALUES, st.fixed_dictionaries({}, optional={"b": VALUES, "c": VALUES})), "b": VALUES}
)


def paths_in(rule: Any) -> set[str]:
    if "match" in rule:
        return {rule["match"]["parameter"]["name"]}
    inner = [*rule.get("and", []), *rule.get("or", []), *([rule["not"]] if "not" in rule else [])]
    return {path for item in inner for path in paths_in(item)}


@settings(max_examples=150, deadline=None)
@given(rule=RULES, data=DATA)
def test_any_rule_fires_for_the_same_bodies_as_in_webhook(rule: Any, data: Any) -> None:
    found = [look_up(path, data) for path in paths_in(rule)]
    expected = evaluate(rule, data)[0]
    if any(isinstance(value, Mapping) for value in found):  # which has no text here: it may be that it does not fire
        assert expected or not fires(rule, data) or not_of_object(rule)
    else:
        assert fires(rule, data) == expected, written(rule)


def not_of_object(rule: Any) -> bool:
    return "not" in json.dumps(rule)
