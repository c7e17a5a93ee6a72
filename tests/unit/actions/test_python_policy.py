"""The language policy and the compiler: what a snippet may say, and where what it may not say stands."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.actions.python_snippet.worker.compiler import MAX_SOURCE, NO_RESULT, compile_snippet
from hookrt.actions.python_snippet.worker.policy import SnippetPolicy

ALLOWED = {
    "item augmented": "d = {}\nd['k'] += 1\nresult = d",
    "attribute augmented": "class A:\n    x = 1\na = A()\na.x += 1\nresult = a.x",
    "annotations": "x: int = 1\ny: str\nresult = x",
    "annotated arguments": "def run(event: dict, ctx, *a: int, k: 'str' = '', **o: int) -> dict:\n    return {}",
    "nonlocal": "def run(event, ctx):\n    n = 0\n    def f():\n        nonlocal n\n        n += 1\n    return f()",
    "match": "match event:\n    case {'a': [1, *b], **c}:\n        result = 1\n    case None | -1:\n        run = 2",
    "match with a capture": "match event:\n    case [1, 2] as x if x:\n        result = 2\n    case _:\n        pass",
    "bare except": "try:\n    result = 1\nexcept:\n    result = 2",
    "future": "from __future__ import annotations\nresult = 1",
    "future in a docstring's shadow": '"""Doc."""\nfrom __future__ import annotations\nresult = 1',
    "print everywhere": "def run(event, ctx):\n    print(1)\n    return list(map(print, [1]))",
    "unpacking": "(a, (b, *c)), [d] = event\nfor x, (y, z) in event:\n    pass\nresult = f(*a, **b)",
    "one underscore": "for _ in []:\n    pass\nresult = 1",
    "named arguments": "result = dict(_id=1)",
    "run made by assignment": "run = lambda event, ctx: 1",
    "result set in a branch": "if event:\n    result = 1\nelse:\n    result = 2",
}

REFUSED = {
    "attribute with underscore": "result = event._x",
    "name with underscore": "_x = 1\nresult = 1",
    "dunder": "result = __import__('os')",
    "frame": "result = event.gi_frame",
    "async def": "async def f():\n    pass\nresult = 1",
    "await": "result = await event",
    "except star": "try:\n    result = 1\nexcept* ValueError:\n    pass",
    "star import": "from json import *\nresult = 1",
    "import as a guard": "import json as _getattr_\nresult = 1",
    "metaclass": "class A(metaclass=type):\n    pass\nresult = 1",
    "class argument": "class A(x=1):\n    pass\nresult = 1",
    "class pattern": "match event:\n    case str():\n        result = 1",
    "dotted pattern": "match event:\n    case event.x:\n        result = 1",
    "dotted key pattern": "match event:\n    case {event.x: 1}:\n        result = 1",
    "pattern as a guard": "match event:\n    case {**_write_}:\n        result = 1",
    "global guard": "global _getattr_\nresult = 1",
    "nonlocal dunder": "class A:\n    def f(self):\n        nonlocal __class__\nresult = 1",
    "annotated guard": "_write_: int = 1\nresult = 1",
    "annotated guard without value": "_write_: int\nresult = 1",
    "augmented private attribute": "event._x += 1\nresult = 1",
    "starred guard": "[*_write_] = event\nresult = 1",
    "loop target attribute": "for event._x in []:\n    pass\nresult = 1",
    "with target": "with event as _x:\n    result = 1",
    "exec": "exec('x')\nresult = 1",
    "eval": "result = eval('x')",
    "dunder argument": "result = f(__class__=1)",
    "print as a name": "print = 1\nresult = 1",
    "print as an argument": "def run(event, ctx, print=1):\n    return 1",
    "printed": "result = printed",
    "magic method": "class A:\n    def __getattr__(self, n):\n        return 1\nresult = 1",
    "decorated private": "@event._x\ndef run(event, ctx):\n    return 1",
    "private in an f-string": "result = f'{event._x}'",
    "private in a default": "def run(event, ctx, x=event._x):\n    return 1",
    "private in a lambda": "result = (lambda: event._x)",
    "walrus": "result = (_x := 1)",
    "deleted private": "del event._x\nresult = 1",
}


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_ordinary_python_compiles(source: str) -> None:
    compiled = compile_snippet(source)
    assert compiled.findings == ()
    assert compiled.code is not None


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_leads_past_the_guards_is_refused_with_its_line(source: str) -> None:
    compiled = compile_snippet(source)
    assert compiled.code is None
    assert all(finding.line and finding.message for finding in compiled.findings)


def test_a_column_counts_characters_not_bytes() -> None:
    [finding] = compile_snippet("result = ['é', event._x]").findings
    assert (finding.line, finding.column) == (1, 16)


def test_annotations_are_never_evaluated_nor_kept() -> None:
    tree = ast.parse("def f(a: X, *b: Y, c: Z = 1, **d: W) -> V:\n    x: U = 1")
    SnippetPolicy("").visit(tree)
    assert not {"X", "Y", "Z", "W", "V", "U"} & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_every_attribute_and_item_access_goes_through_a_guard() -> None:
    source = "a.b = c.d\ndel e[f]\ng[h] = i[j]\nk.l += 1\nm[n] += 1\nfor o.p in q: pass\nwith r as s.t: pass"
    tree = ast.parse(source)
    policy = SnippetPolicy(source)
    policy.visit(tree)
    assert policy.findings == []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript):
            assert not isinstance(node.ctx, ast.Load)
            assert isinstance(node.value, ast.Call)
            assert isinstance(node.value.func, ast.Name)
            assert node.value.func.id == "_write_"


def test_a_bare_except_catches_no_deadline() -> None:
    tree = ast.parse("try:\n    pass\nexcept:\n    pass")
    SnippetPolicy("").visit(tree)
    [handler] = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    assert isinstance(handler.type, ast.Name)
    assert handler.type.id == "_any_error_"


@pytest.mark.parametrize(
    "source", ["", "x = 1", "def f():\n    run = 1", "class A:\n    result = 1", "x = [run for run in y]"]
)
def test_a_snippet_without_run_or_result_is_refused(source: str) -> None:
    assert [finding.message for finding in compile_snippet(source).findings] == [NO_RESULT]


@pytest.mark.parametrize(
    "source",
    ["x = " + "(" * 3000, "x = " + "-" * 30000 + "1", "\x00", "x = '\ud800'", "x = 1\n  y", "result = " + "9" * 5000],
)
def test_what_breaks_the_compiler_is_a_finding(source: str) -> None:
    compiled = compile_snippet(source)
    assert compiled.code is None
    assert len(compiled.findings) == 1


def test_source_text_has_a_limit() -> None:
    assert compile_snippet("result = 1\n#" + "x" * (MAX_SOURCE - 12)).findings == ()
    assert "64 KiB" in compile_snippet("result = 1\n#" + "x" * MAX_SOURCE).findings[0].message
    assert "64 KiB" in compile_snippet("result = 1\n#" + "é" * (MAX_SOURCE // 2)).findings[0].message


def test_the_number_of_findings_has_a_limit() -> None:
    assert len(compile_snippet("result = event._x\n" * 1000).findings) == 50


@given(st.text(max_size=200))
def test_no_text_makes_the_compiler_raise(source: str) -> None:
    compiled = compile_snippet(source)
    assert (compiled.code is None) == bool(compiled.findings)


NAMES = st.sampled_from(["event", "ctx", "x", "result", "run", "_", "_x", "__class__", "print"])
PIECES = st.sampled_from(
    [
        "{}.{}",
        "{}[{}]",
        "{}({}=1)",
        "({} := {})",
        "[{} for {} in x]",
        "lambda {}: {}",
        "f'{{{}.{}}}'",
        "{} if {} else 1",
    ]
)


@given(st.lists(st.tuples(PIECES, NAMES, NAMES), min_size=1, max_size=5))
def test_no_code_comes_out_that_names_something_private(parts: list[tuple[str, str, str]]) -> None:
    source = "\n".join("result = " + piece.format(one, two) for piece, one, two in parts)
    compiled = compile_snippet(source)
    if compiled.code is None:
        return
    names = {name for code in _codes(compiled.code) for name in (*code.co_names, *code.co_varnames, *code.co_freevars)}
    hidden = {name for name in names if name.startswith("_") and name != "_"}
    assert hidden <= {"_getattr_", "_getitem_", "_write_", "_print_", "_any_error_", "__metaclass__"}


def _codes(code: object) -> list[object]:
    return [code, *(inner for const in code.co_consts if hasattr(const, "co_names") for inner in _codes(const))]
