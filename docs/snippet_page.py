"""The reference of snippets: what Python they have, from the lists that the sandbox goes by."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from RestrictedPython.transformer import ALLOWED_FUNC_NAMES

from hookrt.actions.python_snippet.worker.module import names_of
from hookrt.actions.python_snippet.worker.modules import MODULES
from hookrt.actions.python_snippet.worker.offer import BUILTINS


@dataclass(frozen=True, slots=True)
class Difference:
    """What snippets do without, and what does the same; a test runs both, in a program around them."""

    written: str
    instead: str
    around: str = "{}\nresult = 1"


_CLASSES = """\
class Base:
    def greet(self):
        return 1
class Derived(Base):
    def greet(self):
        return {}
result = Derived().greet()
"""
DIFFERENCES = (
    Difference("async def f(): ...", "def f(): ..."),
    Difference("from math import *", "from math import sqrt"),
    Difference("_total = 1", "total = 1"),
    Difference(
        "self._total = 1", "self.total = 1", "class A:\n    def __init__(self):\n        {}\nresult = A().total"
    ),
    Difference("super().greet()", "Base.greet(self)", _CLASSES),
    Difference("type(error).__name__", "repr(error)", "error = ValueError()\nresult = {}"),
    Difference("case dict(): ...", "case _ if isinstance(event, dict): ...", "match event:\n    {}\nresult = 1"),
    Difference("except* ValueError: ...", "except ValueError: ...", "try:\n    pass\n{}\nresult = 1"),
    Difference("import dataclasses", "class Point: ..."),
    Difference(
        'collections.namedtuple("P", "x y")(1, 2)', "dict(x=1, y=2)", "import collections\nresult = {}\nresult = 1"
    ),
    Difference("import enum", 'NEW, OLD = "new", "old"'),
    Difference("import csv", 'line.split(",")', 'line = "a,b"\n{}\nresult = 1'),
    Difference("import requests", "ctx.http", "def run(event, ctx):\n    {}"),
    Difference("import os", "ctx.secrets", "def run(event, ctx):\n    {}"),
    Difference("random.Random(7).random()", "random.random()", "import random\nresult = {}"),
    Difference("return {1, 2}", "return [1, 2]", "def run(event, ctx):\n    {}"),
    Difference(
        "return date.today()",
        "return date.today().isoformat()",
        "from datetime import date\ndef run(event, ctx):\n    {}",
    ),
)


def snippet_page() -> Iterator[str]:
    """Modules, built-ins, classes and differences."""
    yield "# Python in snippets"
    yield ""
    yield "What a [snippet](../../sandbox.md) can use. All statements and expressions of the language are there, save"
    yield "for those [below](#what-is-written-differently); `hookrt check` reports what is missing, with its line."
    yield from ("", "## Modules", "", "| module | names |", "|---|---|")
    for name, module in MODULES.items():
        yield f"| `{name}` | {_listed(names_of(module))} |"
    yield ""
    yield "`typing` is for hints only, which are not looked at. `copy.deepcopy` copies lists, dicts, sets and tuples"
    yield "in each other. `time.sleep` waits for no longer than the run may."
    yield from ("", "## Built-ins", "")
    yield from textwrap.wrap(_listed(name for name in BUILTINS if not name[0].isupper()) + ".", 120)
    yield ""
    others = _listed(name for name in BUILTINS if name[0].isupper())
    yield from textwrap.wrap(f"Exceptions and constants: {others}.", 120)
    yield from ("", "## Classes", "")
    yield "Classes, inheritance, properties, static and class methods work. A class may define these special methods:"
    yield ", ".join(f"`{name}`" for name in sorted(ALLOWED_FUNC_NAMES)) + "."
    yield from ("", "## What is written differently", "", "| in Python | in a snippet |", "|---|---|")
    for one in DIFFERENCES:
        yield f"| `{one.written}` | `{one.instead}` |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names, key=str.lower))
