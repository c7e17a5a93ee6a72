"""RFC 7396: the examples of its text and of its appendix A, and what else a merge must keep."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from hookrt.model.merge_patch import merge_patch

APPENDIX_A = """
{"a":"b"}           | {"a":"c"}                  | {"a":"c"}
{"a":"b"}           | {"b":"c"}                  | {"a":"b","b":"c"}
{"a":"b"}           | {"a":null}                 | {}
{"a":"b","b":"c"}   | {"a":null}                 | {"b":"c"}
{"a":["b"]}         | {"a":"c"}                  | {"a":"c"}
{"a":"c"}           | {"a":["b"]}                | {"a":["b"]}
{"a":{"b":"c"}}     | {"a":{"b":"d","c":null}}   | {"a":{"b":"d"}}
{"a":[{"b":"c"}]}   | {"a":[1]}                  | {"a":[1]}
["a","b"]           | ["c","d"]                  | ["c","d"]
{"a":"b"}           | ["c"]                      | ["c"]
{"a":"foo"}         | null                       | null
{"a":"foo"}         | "bar"                      | "bar"
{"e":null}          | {"a":1}                    | {"e":null,"a":1}
[1,2]               | {"a":"b","c":null}         | {"a":"b"}
{}                  | {"a":{"bb":{"ccc":null}}}  | {"a":{"bb":{}}}
"""
ROWS = [tuple(json.loads(cell) for cell in line.split("|")) for line in APPENDIX_A.strip().splitlines()]


@pytest.mark.parametrize(("target", "patch", "result"), ROWS)
def test_appendix_a_of_the_rfc(target: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy((target, patch))
    assert merge_patch(target, patch) == result
    assert (target, patch) == before


def test_the_example_of_section_3() -> None:
    target = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    patch = {"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": None}, "tags": ["example"]}
    assert merge_patch(target, patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


def test_keys_are_data_whatever_they_are_called() -> None:
    patch = {"__class__": {"__init__": 1}, "constructor": {"prototype": 2}}
    assert merge_patch({}, patch) == patch
