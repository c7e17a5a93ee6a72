"""The guards, called directly: what they hand out, and what they refuse whatever the disguise."""

from __future__ import annotations

import collections
import datetime
import functools
import itertools
import json
import math
from typing import Any

import pytest

from hookrt.actions.python_snippet.worker.classes import SnippetType, is_own_function
from hookrt.actions.python_snippet.worker.context import Context
from hookrt.actions.python_snippet.worker.guards import (
    check_attribute_name,
    delete_attribute,
    get_attribute,
    has_attribute,
    read_attribute,
    read_item,
    set_attribute,
    type_of,
    writable,
)
from hookrt.actions.python_snippet.worker.module import names_of
from hookrt.actions.python_snippet.worker.modules import MODULES, import_module
from hookrt.actions.python_snippet.worker.offer import ATTRIBUTES, BUILTINS, PLAIN_BUILTINS
from hookrt.actions.python_snippet.worker.stops import DeniedAttributeError, DeniedError, DeniedImportError


class Sly(str):
    """A text that is another one when compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def own_class(bases: tuple[type, ...] = (), **namespace: Any) -> Any:
    return SnippetType("Own", bases, namespace)


def own_function() -> Any:
    space: dict[str, Any] = {}
    exec(compile("def f(): return 1", "<snippet>", "exec"), space)
    return space["f"]


def generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ((), "__class__"),
        ((), Sly("count")),
        (generator(), "gi_frame"),
        (str, "mro"),
        (Exception, "mro"),
        (own_class(), "mro"),
        (json.dumps, "cache"),
        (functools.partial(print), "func"),
        (property(lambda self: 1), "fget"),
        (AttributeError(obj=math), "obj"),
        (NameError(), "__context__"),
        (ValueError("x"), "with_traceback"),
        ({}.keys(), "mapping"),
        (functools.cmp_to_key(lambda a, b: 0)(1), "obj"),
        (MODULES["json"], "codecs"),
        (MODULES["json"], "_names"),
        (MODULES["random"], "seed"),
        (Context({}), "_values"),
        (own_class((AttributeError,))("x"), "obj"),
    ],
)
def test_an_attribute_that_is_not_offered_is_refused(owner: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        read_attribute(owner, name)
    assert not has_attribute(owner, name)


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ([1, 2], "count", None),
        (datetime.datetime, "now", None),
        (datetime.date(2026, 1, 2), "year", 2026),
        (dict, "fromkeys", None),
        (itertools.chain, "from_iterable", None),
        (KeyError("x"), "args", ("x",)),
        (MODULES["math"], "pi", math.pi),
        (Context({"hook": "h"}), "hook", "h"),
        (own_class(x=1)(), "x", 1),
        (own_class((dict,), x=1)(a=2), "get", None),
        (own_class((Exception,))("x"), "args", ("x",)),
    ],
)
def test_what_is_offered_is_read(owner: Any, name: str, value: Any) -> None:
    found = read_attribute(owner, name)
    assert value is None or found == value


@pytest.mark.parametrize("owner", ["{0.__class__}", own_class((str,))("{0.__class__}")])
def test_no_format_reads_an_attribute_that_is_not_offered(owner: str) -> None:
    for bound in (read_attribute(owner, "format"), functools.partial(read_attribute(str, "format"), owner)):
        with pytest.raises(DeniedAttributeError):
            bound(1)
    with pytest.raises(DeniedAttributeError):
        read_attribute("{x.__class__}", "format_map")({"x": 1})
    for nested in ("{0:{0.__class__}}", "{:{.__class__}}"):
        with pytest.raises(DeniedAttributeError):
            read_attribute(nested, "format")(1, 2)


def test_format_does_what_formats_do() -> None:
    write = read_attribute
    assert write("{0[a]} {1.year:05} {n:.2f}", "format")({"a": 1}, datetime.date(2026, 1, 1), n=2) == "1 02026 2.00"
    assert write("{} {:>3}|{{}}", "format")(1, "x") == "1   x|{}"
    assert write("{a}", "format_map")({"a": 1}) == "1"


def test_a_default_stands_for_what_is_missing_and_never_for_what_is_refused() -> None:
    assert get_attribute({}, "nope", 7) == 7
    with pytest.raises(DeniedAttributeError):
        get_attribute({}, "__class__", 7)
    with pytest.raises(AttributeError):
        get_attribute({}, "nope")


def test_a_missing_attribute_of_an_event_says_how_to_read_the_key() -> None:
    with pytest.raises(AttributeError, match=r'write \["data"\]'):
        read_attribute({"data": 1}, "data")


@pytest.mark.parametrize("owner", [MODULES["json"], json.JSONEncoder, json.dumps, datetime.datetime, math])
def test_what_outlives_the_run_cannot_be_written_to(owner: Any) -> None:
    with pytest.raises(DeniedError):
        writable(owner)
    with pytest.raises(DeniedError):
        set_attribute(owner, "x", 1)


@pytest.mark.parametrize("owner", [1, True, 1.5, 1j, "text", b"bytes", (1,), range(3), frozenset(), None])
def test_what_never_changes_is_left_to_python(owner: Any) -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        writable(owner)[0] = 1
    with pytest.raises(AttributeError, match="no attribute"):
        set_attribute(owner, "x", 1)
    with pytest.raises(AttributeError):
        delete_attribute(owner, "real")


def test_plain_containers_and_the_snippets_own_things_can_be_written_to() -> None:
    made = own_class()
    function = own_function()
    for owner in ({}, [], collections.Counter(), collections.deque(), made, made(), function):
        assert writable(owner) is owner
    set_attribute(function, "calls", 1)
    assert read_attribute(function, "calls") == 1
    set_attribute(made, "x", 1)
    delete_attribute(made, "x")
    assert not has_attribute(made, "x")


def test_only_the_snippets_own_functions_count_as_such() -> None:
    assert is_own_function(own_function())
    assert not is_own_function(json.dumps)
    assert not is_own_function(len)


@pytest.mark.parametrize("name", ["__class__", "_x", "gi_frame", "f_globals", Sly("x"), b"x", 1])
def test_no_name_that_leads_inside_can_be_set(name: Any) -> None:
    made = own_class()()
    for refused in (lambda: set_attribute(made, name, 1), lambda: delete_attribute(made, name)):
        with pytest.raises(DeniedAttributeError):
            refused()
    with pytest.raises(DeniedAttributeError):
        check_attribute_name(name)


def test_type_gives_plain_types_only() -> None:
    assert type_of(1) is int
    assert type_of(None) is type(None)
    made = own_class()
    assert type_of(made()) is made
    for value in (made, int, len, json.dumps, generator(), MODULES["json"], property()):
        with pytest.raises(DeniedError):
            type_of(value)
    with pytest.raises(TypeError):
        type_of("X", (), {})


@pytest.mark.parametrize("base", [type, property, json.JSONEncoder, BaseException, SystemExit, len, datetime.tzinfo])
def test_a_class_cannot_inherit_from_what_could_be_turned_inside_out(base: Any) -> None:
    with pytest.raises((DeniedError, TypeError)):
        SnippetType("Own", (base,), {})


def test_items_are_read_from_plain_values_only() -> None:
    assert read_item([1, 2], 0) == 1
    assert read_item({"a": 1}, "a") == 1
    assert read_item("abc", slice(1, None)) == "bc"
    assert read_item(Context({"a": 1}), "a") == 1
    with pytest.raises(DeniedError):
        read_item(list, int)
    with pytest.raises(TypeError):
        read_item(1, 0)


def test_no_module_offers_a_real_module_or_a_private_name() -> None:
    module_type = type(math)
    for name, module in MODULES.items():
        for offered, value in names_of(module).items():
            assert not isinstance(value, module_type), (name, offered)
            assert not offered.startswith("_"), (name, offered)


@pytest.mark.parametrize(
    "name", ["os", "sys", "_strptime", "json.codecs", "collections.abc", "", "JSON", "urllib.request"]
)
def test_the_import_hook_is_exact(name: str) -> None:
    with pytest.raises(DeniedImportError):
        import_module(name)
    with pytest.raises(DeniedImportError):
        import_module("json", {}, {}, ("loads",), 1)


def test_imports_find_what_python_would_bind() -> None:
    assert import_module("json") is MODULES["json"]
    assert import_module("urllib.parse") is MODULES["urllib"]
    assert import_module("urllib.parse", {}, {}, ("quote",)) is MODULES["urllib.parse"]
    assert import_module("urllib", {}, {}, ("parse",)).parse is MODULES["urllib.parse"]
    with pytest.raises(DeniedImportError):
        import_module("json", {}, {}, ("codecs",))


def test_no_listing_offers_a_way_inside() -> None:
    ways = {"mro", "gi_frame", "f_globals", "func", "fget", "obj", "format", "format_map", "with_traceback"}
    for kind, names in ATTRIBUTES.items():
        assert not names & ways, kind
        assert not [name for name in names if name.startswith("_")], kind


def test_the_builtins_hold_no_way_to_code_files_or_what_ends_a_process() -> None:
    withheld = {
        "eval",
        "exec",
        "compile",
        "open",
        "input",
        "id",
        "vars",
        "dir",
        "globals",
        "locals",
        "breakpoint",
        "super",
    }
    withheld |= {
        "BaseException",
        "SystemExit",
        "KeyboardInterrupt",
        "GeneratorExit",
        "memoryview",
        "__import__",
        "help",
    }
    assert not withheld & BUILTINS
    assert PLAIN_BUILTINS["len"] is len
