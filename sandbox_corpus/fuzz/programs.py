"""Programs that try what a snippet must not: made of many small attempts, each with its own `try`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from hypothesis import strategies as st
from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from hookrt.actions.python_snippet.worker.module import names_of
from hookrt.actions.python_snippet.worker.modules import MODULES
from hookrt.actions.python_snippet.worker.offer import ATTRIBUTES, BUILTINS
from sandbox_corpus.fuzz.tables import split, words

PREAMBLE = """\
import json, re, math, functools, itertools, collections, datetime, decimal, string, hashlib, uuid, zoneinfo, fractions
import statistics, textwrap, time, random, base64, html, hmac, urllib.parse
import bisect, calendar, copy, heapq, operator, secrets, typing, unicodedata
class Plain:
    def __init__(self, *a, **k):
        self.a = a
class Text(str):
    pass
class Fault(Exception):
    pass
def give(*a, **k):
    return a[0] if a else k
def numbers():
    got = yield 1
    yield got
def caught(f, *a):
    try:
        return f(*a)
    except Exception as e:
        return e
v0, v1, v2, v3, v4 = ctx, event, "text {0} {x.y}", [1, "a", (2,)], {"a": 1, "b": [2]}
v5, v6, v7, v8 = (lambda *a, **k: a), Plain(1), numbers(), Fault("x", 2)
v9, v10, v11 = re.match("(a)(?P<n>b)", "ab"), datetime.datetime(2026, 1, 2), Text("__class__")
v12, v13, v14 = functools.partial(give, 1), decimal.Decimal("1.5"), string.Template("$a ${b}")
v15, v16, v17 = uuid.UUID(int=5), hashlib.sha256(b"x"), collections.Counter("aab")
v18, v19, v20 = collections.deque([1, 2]), b"bytes", caught(lambda: Plain().missing)
v21, v22, v23 = caught(lambda: {}["k"]), caught(lambda: b"\\xff".decode()), functools.lru_cache(give)
v24, v25, v26 = Plain, Fault, zoneinfo.ZoneInfo("UTC")
v27, v28, v29 = collections.ChainMap({}, {}), {1, 2}, collections.defaultdict(give)
v30, v31, v32, v33, v34 = ctx.http, ctx.secrets, ctx.state, ctx.emit, caught(ctx.http.get, "https://a.example/")
v35, v36 = caught(lambda: ctx.http.post("https://a.example/").raise_for_status()), caught(lambda: v34.headers)
"""
GIVEN = 37
"""How many variables the preamble makes."""


def _value(label: str) -> Any:
    module, _, name = label.rpartition(".")
    return names_of(MODULES[module])[name]


_DUNDERS = words(
    "__class__ __dict__ __globals__ __builtins__ __subclasses__ __base__ __bases__ __mro__ __init__ __code__ "
    "__closure__ __func__ __self__ __traceback__ __context__ __cause__ __module__ __getattribute__ "
    "__reduce_ex__ __wrapped__ __import__ __loader__ __spec__ __defaults__ __call__ __get__ __set_name__ "
    "__class_getitem__ __annotations__ _names _values _real _label _getattr_ _write_ _canary_"
)
_INSIDES = words(
    "gi_frame gi_code gi_yieldfrom tb_frame tb_next f_back f_globals f_builtins f_locals f_code cr_frame ag_frame obj "
    "mro format format_map with_traceback func args keywords cache_info cache_clear cache_parameters fget maps value "
    "name sys os codecs builtins decoder modules path setcontext getcontext seed setstate Formatter open is_safe"
)
_SAYABLE = [name for name in _INSIDES if name not in INSPECT_ATTRIBUTES]
_METHODS = words("__init__ __eq__ __lt__ __contains__ __ne__ __gt__ g h")
_LISTED = sorted({name for names in ATTRIBUTES.values() for name in names})
_FROM_MODULES = sorted({f"{label}.{name}" for label, module in MODULES.items() for name in names_of(module)})
_WRITTEN_IN_PYTHON = [
    label
    for label in _FROM_MODULES
    if isinstance(value := _value(label), FunctionType)
    or (isinstance(value, type) and not value.__flags__ & (1 << 8))  # Py_TPFLAGS_IMMUTABLETYPE
]
_BUILT_IN = (
    *sorted(BUILTINS - {"True", "False", "None"}),
    *words("open eval vars dir globals super memoryview __import__"),
)
_IMPORTED = sorted(
    {*sys.stdlib_module_names, *MODULES, "os.path", "importlib.util", "collections.abc", "hookrt", "_io"}
)
_LITERALS = words(
    "0 1 -1 2**64 1.5 None True '' 'a' 'text' b'x' () [] {} [1,2,3] {'a':1} range(3) slice(1) int str dict list object "
    "'__class__' '{0.__class__}' '{0[__globals__]}' ('a',1) {1,2} 'utf-8' '%s' 1j ... NotImplemented"
)

ATTEMPTS = split(
    r"""
    {a}.{h} ~ {k}.{h} ~ {f}.{h} ~ {k}.{h}() ~ {p}.{h} ~ {a}.{h}() ~ type({a}).{h} ~ {p}.{n} ~ {a}.{n} ~ {a}.{n}
    {a}.{n}({b}) ~ {a}.{n}() ~ getattr({a}, {s}) ~ getattr({a}, {s}, {b}) ~ hasattr({a}, {s}) and getattr({a}, {s})
    getattr(*[{a}, {s}]) ~ caught(getattr, {a}, {s}) ~ list(map(getattr, [{a}], [{s}]))
    functools.partial(getattr, {a})({s}) ~ functools.reduce(getattr, [{a}, {s}]) ~ '{{0.{d}}}'.format({a})
    '{{0.{n}.{d}}}'.format({a}) ~ '{{0[{d}]}}'.format({a}) ~ str.format('{{0.{d}}}', {a})
    '{{x.{d}}}'.format_map({{'x': {a}}}) ~ Text('{{.{d}}}').format({a}) ~ '{{:{{0.{d}}}}}'.format({a})
    f'{{{a}!r:{{{b}}}}}' ~ f'{{{a}.{n}}}' ~ format({a}, {s}) ~ '%({n})s' % {a}
    string.Template({b}).substitute({a}) ~ '{{0.{d}[{d}]}}'.format({a}) ~ list(map('{{.{d}}}'.format, [{a}]))
    '{{x.{d}}}'.format_map({a}) ~ {a}({b}) ~ {a}() ~ {a}({b}, {c}) ~ {a}(*{b}) ~ {a}(**{b}) ~ {a}({b}, key={c})
    {k}({a}) ~ {k}({a}, {b}) ~ {k} ~ {f}({a}) ~ {f}({a}, {b}) ~ {f}({b}, {a}, {c}) ~ {f}() ~ {f}
    {k}({a}, {b}, {c}) ~ {f}(*{a}) ~ type({a}) ~ type({a})({b}) ~ next({a}) ~ list(map({a}, [{b}]))
    sorted([{b}, {c}], key={a}) ~ dict({a}) ~ json.dumps({a}, default={b}, cls={c})
    json.loads('{{"a": [1]}}', object_hook={a}, cls={b}) ~ re.sub('.', {a}, 'x') ~ functools.total_ordering({a})
    functools.wraps({a})({b}) ~ functools.lru_cache({a}) ~ {a}.send({b}) ~ {a}.throw({b}) ~ {a}[{b}] ~ {a}[{l}]
    {a}[{s}] ~ {a}[:] ~ {k}[{l}] ~ [*{a}] ~ {{**{a}}} ~ (w := {a}) ~ [x for x in {a}] ~ {a} | {b} ~ {a} + {b}
    {a} % {b} ~ {a} @ {b} ~ {a} == {b} ~ {a} in {b} ~ not {a} ~ {a} < {b} < {c}
    (lambda x={a}, *y, **z: (x, y, z))({b}, **{c}) ~ [*(x for x in {a})] ~ {{x: {b} for x in {a}}}
    (x for x in {a})
    """
)
STATEMENTS = (
    *split(
        r"""
    {p}.{n} = {b} ~ {p}.{n} += {b} ~ del {p}.{n} ~ for {p}.{n} in [{b}]: pass ~ [{p}.{n}, v] = {b}, 1
    {p}.{h} = {a} ~ setattr({p}, {s}, {b}) ~ {p}.{n}: int = {b} ~ with {a} as {p}.{n}: pass ~ {p}[{l}] = {b}
    delattr({p}, {s}) ~ {a}.{n} = {b} ~ setattr({a}, {s}, {b}) ~ {a}.{n} += {b} ~ del {a}.{n} ~ delattr({a}, {s})
    {a}[{l}] = {b} ~ {a}[{l}] += {b} ~ del {a}[{l}] ~ for {a}.{n} in [{b}]: pass ~ [{a}.{n}, v] = {b}, {c}
    {k}.{n} = {b} ~ {f}.{n} = {b} ~ setattr({f}, {s}, {b}) ~ {f}[{l}] = {b} ~ {a}.{n} |= {b} ~ json.{n} = {b}
    {a}.{n}: int = {b} ~ with {a} as v: pass ~ for v in {a}: break ~ v, *w = {a}; v = w ~ raise {a}
    raise {a}({b}) from {c} ~ import {m} as v ~ import {m}; v = {m} ~ from {m} import {n} as v
    from {m} import {i} as v
    """
    ),
    "def g(x={a}, *y, **z):\n        global v\n        v = x\n        return y\n    g({b})",
    "@{a}\n    def g(*y, **z):\n        return y, z\n    v = caught(g, {b})",
    "class C({a}):\n        {i} = {b}\n        def __init__(self, *y):\n            self.y = y\n"
    "    v = [C, caught(C, {c})]",
    "class C({a}):\n        {i} = {f}\n"
    "    v = [C, caught(lambda: C().{i}), caught(lambda: C.{i}), caught(lambda: getattr(C(), {s}))]",
    "class C:\n        {i} = property({a})\n        @classmethod\n        def c(cls):\n            return cls.{n}\n"
    "    v = [caught(lambda: C().{i}), caught(C.c)]",
    "class C:\n        def __eq__(self, o):\n            return o\n        def __lt__(self, o):\n            return o\n"
    "        def __contains__(self, o):\n            return o\n    v = [C() == {a}, C() < {b}, {c} in C()]",
    "class C:\n        def {d}(self, *o):\n            return o\n    v = C()",
    "match {a}:\n        case [x, *y]:\n            v = [x, y]\n        case {{'a': x, **y}}:\n            v = [x, y]\n"
    "        case x:\n            v = [x, x is None]",
    "match {a}:\n        case {{'a': x, **y}}:\n            v = [x, y]\n        case (1 | 'a') as x:\n"
    "            v = x\n"
    "        case x:\n            v = x",
    "try:\n        raise {a}\n    except Exception as e:\n        v = [e, getattr(e, {s})]",
    "try:\n        {a}.{n}\n    except:\n        raise\n    finally:\n        v = {b}",
    "def g():\n        x = {a}\n        def h():\n            nonlocal x\n            x = {b}\n"
    "            return g, h, x\n"
    "        return h\n    v = g()()",
    "def g():\n        y = yield {a}\n        z = yield from {b}\n        return y\n    w = g()\n"
    "    v = [next(w), w, caught(w.send, {c})]",
    "global {i}\n    v = {i}",
)
SPELLINGS = split(
    r"""
    '{w}' ~ '{w}' ~ '{w}' ~ '{u}'.lower() ~ ''.join(['{x}', '{y}']) ~ '{x}' '{y}' ~ Text('{w}') ~ b'{w}'.decode()
    '%s' % '{w}' ~ chr(95) * 2 + '{w}'.strip('_') + chr(95) * 2 ~ f'{x}{{"{y}"}}' ~ ['{w}'][0] ~ v11
    str(Text('{w}')) ~ '{w}'.replace('_', '\uff3f') ~ '{w}'.swapcase().swapcase()
    base64.b64decode(base64.b64encode(b'{w}')).decode()
    """
)

Step = tuple[int, tuple[int, int, int], int, int]
_WAYS = (*ATTEMPTS, *ATTEMPTS, *STATEMENTS)
_PLACES = st.integers(0, 59)
STEPS = st.lists(
    st.tuples(
        st.integers(0, len(_WAYS) - 1), st.tuples(_PLACES, _PLACES, _PLACES), st.integers(0, 9999), st.integers(0, 9999)
    ),
    min_size=6,
    max_size=24,
)
FORBIDDEN = (
    *split(
        r"""
    $ ~ $ = 1 ~ v0.$ ~ v0.$ = 1 ~ del v0.$ ~ v0.$ += 1 ~ del $ ~ $ += 1 ~ $: int = 1 ~ import $ ~ import json as $
    from json import $ ~ from json import loads as $ ~ for $ in v3: pass ~ [1 for $ in v3] ~ ($ := 1)
    with v0 as $: pass ~ def $(): pass ~ def g($): pass ~ def g(*$): pass ~ def g(**$): pass ~ def g(*, $=1): pass
    def g($, /): pass ~ lambda $: 1 ~ lambda *, $=1: 1 ~ class $: pass ~ v5(__$=1) ~ f'{$}' ~ f'{v0.$!r:{v0.$}}'
    [*$] ~ {**$} ~ v5(*$) ~ v5(**$) ~ v3[$] ~ v3[$:] ~ v3[$] += 1 ~ lambda x=$: x ~ (yield_ := $)
    """
    ),
    "try: pass\nexcept Fault as $: pass",
    "match v3:\n    case [$]: pass",
    "match v3:\n    case [*$]: pass",
    "match v3:\n    case {'a': 1, **$}: pass",
    "match v3:\n    case 1 as $: pass",
    "match v3:\n    case v0.$: pass",
    "def g():\n    global $",
    "def g():\n    $ = 1\n    def h():\n        nonlocal $",
    "@$\ndef g(): pass",
)

PROGRAMS = STEPS.map(lambda steps: write_program(steps))
"""Texts of whole programs. Each attempt is in a `try`, and keeps what it gave for those after it."""

HIDDEN_NAMES = (*_DUNDERS, "_x", "__x", "_abc_", "x__roles__", "printed")
SAID = tuple(
    template.replace("$", name)
    for template in FORBIDDEN
    for name in HIDDEN_NAMES
    if name != "printed" or ".$" not in template  # the name of a variable that is taken; an attribute may be called so
)
OFFENCES = st.builds(lambda said, steps: write_program(steps[:6]) + said + "\n", st.sampled_from(SAID), STEPS)
"""Texts of programs that say one thing which may not be said: they are refused as a whole."""


def write_program(steps: Sequence[Step]) -> str:
    """The program that these steps mean."""
    attempts = [_write_step(number, step) for number, step in enumerate(steps, GIVEN)]
    return PREAMBLE + "".join(attempts) + "result = 1\n"


def _write_step(number: int, step: Step) -> str:
    way, places, first, second = step
    template = _WAYS[way % len(_WAYS)]
    names = _fill(template, number, places, first, second)
    body = template.format(**names)
    body = f"v = None\n    {body}\n    v{number} = v" if template in STATEMENTS else f"v{number} = {body}"
    return f"v{number} = None\ntry:\n    {body}\nexcept Exception as e:\n    v{number} = e\n"


def _fill(template: str, number: int, places: tuple[int, int, int], first: int, second: int) -> dict[str, str]:
    a, b, c = (f"v{place % number}" for place in places)
    if first % 11 == 0:
        b = _pick(_LITERALS, second)
    elif first % 13 == 0:
        a = _pick(_FROM_MODULES, second)
    secret = _pick(_DUNDERS, first)
    name = _pick((_LISTED, _SAYABLE)[first % 2], second)
    word = _pick((_DUNDERS, _INSIDES, _DUNDERS, _LISTED)[second % 4], first)
    module = _pick((_IMPORTED, sorted(MODULES))[first % 2], second)
    module = module.lstrip("_") if template.startswith("import") else module
    return {
        "a": a,
        "b": b,
        "c": c,
        "d": _pick(_METHODS, first) if "def {d}" in template else secret,
        "n": name,
        "i": _pick(_LISTED, second),
        "l": _pick(_LITERALS, first),
        "m": module,
        "p": _pick(_WRITTEN_IN_PYTHON, first),
        "h": _pick(_SAYABLE, second),
        "k": _pick(_BUILT_IN, first),
        "f": _pick(_FROM_MODULES, first),
        "s": _spell(word, second),
    }


def _spell(word: str, choice: int) -> str:
    half = len(word) // 2
    return _pick(SPELLINGS, choice).format(w=word, u=word.upper(), x=word[:half], y=word[half:])


def _pick(among: Sequence[str], choice: int) -> str:
    return among[choice % len(among)]


PROBE = "result = []\n" + "\n".join(
    itertools.chain(
        (f"import {label}" for label in sorted(MODULES)),
        (
            "def show(f):\n    try:\n        return repr(f())[:200]\n    except Exception as e:\n"
            "        return repr(e)",
            "result.append([show(lambda: decimal.Decimal(1) / 3), show(lambda: '{0.real}'.format(1))])",
            "result.append(show(lambda: zoneinfo.ZoneInfo.cache_info()))",
            "result.append(show(lambda: urllib.parse.urlsplit.cache_info()))",
        ),
        (
            f"result.append(show(lambda: {label}.{name}))"
            for label, module in sorted(MODULES.items())
            for name in sorted(names_of(module))
            if isinstance(names_of(module)[name], int | float | str | bytes | tuple)
        ),
    )
)
"""A snippet that looks at all that runs share; it has to give the same before and after a program."""
