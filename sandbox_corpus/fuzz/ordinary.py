"""Ordinary programs, which have to give under the policy what they give in plain Python, in the same order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from sandbox_corpus.fuzz.tables import split

PREAMBLE = """\
trace = []
def t(mark, value=None):
    trace.append(mark)
    return value
class Box:
    kind = "box"
    def __init__(self, n=0):
        self.n = n
    @property
    def twice(self):
        t("twice")
        return self.n * 2
    def add(self, other):
        self.n += other
        return self
    def __eq__(self, other):
        return t("eq", isinstance(other, Box) and self.n == other.n)
    def __lt__(self, other):
        return t("lt", self.n < other.n)
    def __contains__(self, item):
        return t("in", item == self.n)
def show(value, depth=0):
    if isinstance(value, Box):
        return ["Box", show(value.n, depth + 1)]
    if isinstance(value, (list, tuple)):
        return [show(each, depth + 1) for each in value][:20] if depth < 8 else "deep"
    if isinstance(value, dict):
        return {str(key): show(each, depth + 1) for key, each in value.items()} if depth < 8 else "deep"
    if isinstance(value, (int, float)) and not -1e15 < value < 1e15:
        return "big"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return "other"
a, b, c, d = 1, [3, 1, 2], {"x": 1, "y": [2]}, Box(4)
def said(e):
    return "too deep" if isinstance(e, RecursionError) else ["failed", str(e)[:60]]
def guarded(f):
    try:
        return show(f())
    except Exception as e:
        return said(e)
"""
ENDING = """
result = {"trace": trace[:400], "a": guarded(lambda: a), "b": guarded(lambda: b),
    "c": guarded(lambda: c), "d": guarded(lambda: d)}
"""
LEAVES = ("a", "b", "c", "d", "1", "2", "'x'", "'y'", "None", "True", "[1, 2]", "{'x': 3}", "Box(2)", "b", "c")
NAMES = ("a", "b", "c", "d", "x", "y")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands: how deep, and what may stand there."""

    depth: int = 3
    function: bool = False
    loop: bool = False
    generator: bool = False


@st.composite
def _expressions(draw: Any, depth: int) -> str:
    if depth <= 0:
        leaf: str = draw(st.sampled_from(LEAVES))
        return leaf
    template: str = draw(st.sampled_from(EXPRESSIONS))
    made = {key: draw(_expressions(depth - 1)) for key in "efg" if "{" + key + "}" in template}
    return template.format(
        **made,
        n=draw(st.sampled_from(NAMES)),
        m=draw(st.integers(0, 99)),
        o=draw(st.sampled_from(("+", "*", "-", "%", "//"))),
    )


EXPRESSIONS = split(
    r"""
    {e} ~ t({m}, {e}) ~ ({e} {o} {f}) ~ ({e} if {f} else {g}) ~ ({e} and {f}) ~ ({e} or {f}) ~ (not {e})
    (t(1, {e}) < t(2, {f}) <= t(3, {g})) ~ (t(1, 1) <= t(2, len([{e}])) < t({m}, 1))
    (t(3, {e}) is t(2, {f}) is t({m}, 1)) ~ (0 < t({m}, 1) < t(5, 2)) ~ ({e} == {f} != {g})
    ({e} in {f}) ~ ({e} is not {f}) ~ {e}[{f}] ~ {e}[{f}:{g}] ~ {e}[::{f}] ~ b[t({m}, 0)] ~ c[t({m}, 'x')] ~ d.n
    d.twice ~ Box({e}).n ~ d.kind ~ [{e}, *t({m}, {f})] ~ ({e}, {f}) ~ {{'x': {e}, **{f}}} ~ {{{e}: {f}}}
    [{e}, {f}][-1] ~ (*{e}, {f}) ~ [{e} for {n} in {f}] ~ [({n}, y) for {n} in {e} for y in {f} if {g}]
    {{{n}: {e} for {n} in {f}}} ~ sorted({e}) ~ list({e} for {n} in {f}) ~ [{n} for {n} in {e} if {n}]
    (lambda {n}={e}: {f})() ~ (lambda *{n}, **k: ({n}, k))(*{e}, k={f}) ~ (x := {e}) ~ [(y := {n}) for {n} in {e}]
    f'{{{e}}}' ~ f'{{{e}!r:>{{{f}}}}}' ~ f'{{{e}:{{{f}}}}}' ~ '{{0}} {{x}}'.format({e}, x={f}) ~ d.add({e}).n
    len({e}) ~ str({e}) ~ max({e}, {f}, key=lambda q: t({m}, 1)) ~ dict(x={e}, **{f}) ~ list(zip({e}, {f}))
    t({m}, {e}).n ~ list(map(lambda {n}: {e}, {f})) ~ isinstance({e}, int) ~ getattr({e}, 'n', {f})
    {e}.get({f}, {g}) ~ next(iter({e}), {f}) ~ [[{e} for x in {f}] for y in {g}] ~ any({n} == {e} for {n} in {f})
    sum({e}, []) ~ {e}.upper() ~ '%s' % ({e},) ~ '{{0[x]}} {{1.n}}'.format({e}, d) ~ bool({e}) ~ -{e}
    print({e}, {f}, sep='|')
    """
)


@st.composite
def _blocks(draw: Any, place: Place) -> str:
    count = draw(st.integers(1, 3 if place.depth > 1 else 2))
    return "\n".join(draw(_statements(place)) for _ in range(count))


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


@st.composite
def _statements(draw: Any, place: Place) -> str:
    simple = [*SIMPLE]
    simple += ["return {e}", "return"] if place.function else []
    simple += ["break", "continue"] if place.loop else []
    simple += ["yield {e}", "x = yield {e}", "t('sent', (yield {e}))", "yield from {e}"] if place.generator else []
    template: str = draw(st.sampled_from(simple if place.depth <= 0 else (*simple, *COMPOUND)))
    inner = replace(place, depth=place.depth - 1)
    parts = {key: draw(_expressions(draw(st.integers(0, 2)))) for key in "efg" if "{" + key + "}" in template}
    parts |= {"n": draw(st.sampled_from(NAMES)), "m": str(draw(st.integers(0, 99)))}
    for key, where in {
        "B": inner,
        "C": inner,
        "D": inner,
        "L": replace(inner, loop=True),
        "F": Place(inner.depth, function=True),
        "G": Place(inner.depth, function=True, generator=True),
        "P": inner,
        "Q": inner,
        "H": Place(inner.depth, function=True),
        "K": Place(inner.depth),
    }.items():
        if "{" + key + "}" in template:
            block = _indent(draw(_blocks(where)))
            parts[key] = _indent(block) if key in "PQH" else block
    return template.format(**parts)


SIMPLE = split(
    r"""
    {n} = {e} ~ {n} = y = {e} ~ {n}, y = {e} ~ {n}, *y = {e} ~ [x, (y, *{n})] = {e} ~ {n}: int = {e} ~ {n} += {e}
    b[t({m}, {e})] = t(5, {f}) ~ b[t({m}, {e})] += t(5, {f}) ~ c[{e}] = {f} ~ c[t({m}, {e})] += {f} ~ c['z'] = {e}
    b[{e}:{f}] = {g} ~ d.n = {e} ~ t({m}, d).n += t(4, {e}) ~ d.n -= {e} ~ d.other = {e} ~ d.n, b[0] = {e}, {f}
    d.n: int = {e} ~ t({m}, b)[t(3, 0)] *= t(4, {e}) ~ del b[{e}] ~ del c[{e}] ~ del d.n ~ del {n} ~ del b[{e}:]
    b.append({e}) ~ c.update({e}) ~ {e} ~ t({m}, {e}) ~ pass ~ assert {e}, {f} ~ raise ValueError({e})
    raise KeyError({e}) from None ~ print({e}) ~ import json as j ~ {n} |= {e} ~ for d.n in {e}: t({m}, d.n)
    for b[0] in {e}: t({m}, b) ~ {n}: int ~ c['x']: int = {e} ~ [d.n, c['q']] = {e}, {f} ~ Box.kind = {e}
    """
)
COMPOUND = (
    "if {e}:\n{B}\nelif {f}:\n{C}\nelse:\n{D}",
    "for {n} in {e}:\n{L}\nelse:\n{B}",
    "for {n}, y in {e}:\n{L}",
    "for q{m} in range(3):\n{L}",
    "try:\n{B}\nexcept (ValueError, KeyError) as {n}:\n{C}\nelse:\n{D}\nfinally:\n    t('finally')",
    "try:\n{B}\nexcept Exception as e:\n    t(said(e))\n{C}",
    *["try:\n{B}\n    raise KeyError({m})\nexcept:\n{C}\nfinally:\n{D}"] * 3,
    "try:\n    try:\n{P}\n    finally:\n{Q}\nexcept Exception as e:\n    t(said(e))",
    "def f{m}({n}={e}, *y, k=None, **z):\n{F}\nt('f', guarded(lambda: f{m}({f}, k={g})))",
    "def f{m}():\n    x = {e}\n    def g():\n        nonlocal x\n        x = {f}\n{P}\n        return x\n"
    "    return g() , x\nt(guarded(f{m}))",
    "def f{m}():\n    global {n}\n    {n} = {e}\n{F}\nt(guarded(f{m}))",
    "def f{m}():\n{G}\nt('gen', guarded(lambda: list(f{m}())))",
    "def f{m}():\n{G}\n    yield 1\nq = f{m}()\n"
    "t('send', [guarded(lambda: next(q)), guarded(lambda: q.send({e})), guarded(lambda: q.throw(ValueError({m})))])",
    "@(lambda f: t('deco', f))\ndef f{m}(x):\n{F}\nt(guarded(lambda: f{m}({e})))",
    "class C{m}(Box):\n    n = {e}\n    [y for y in (1, 2)]\n    def add(self, other):\n{H}\n"
    "    @classmethod\n    def make(cls, *x):\n"
    "        return cls(*x)\n    @staticmethod\n    def s(x={f}):\n        return x\n"
    "t('class', [guarded(lambda: C{m}.make(3).add({g})), guarded(lambda: C{m}.s()), guarded(lambda: C{m}.n)])",
    "class C{m}:\n{K}\nt('class', [guarded(lambda: C{m}.{n}), guarded(lambda: C{m}().{n})])",
    "match {e}:\n    case [x, *y] if {f}:\n        t(['seq', show(x), show(y)])\n"
    "    case {{'x': x, **y}}:\n        t(['map', show(x), show(y)])\n"
    "    case 1 | 'x' | None as x:\n        t(['or', x])\n    case [[x, _], *_]:\n"
    "        t(['deep', show(x)])\n    case _:\n{P}",
    "match ({e}, {f}):\n    case (1, x) | (x, 1):\n        t(['one', show(x)])\n"
    "    case ([], _) | (_, {{}}):\n        t('empty')\n    case x:\n{P}",
    "x = 0\nwhile x < 3:\n    x += 1\n{B}",
    "q{m} = 0\nwhile (q{m} := q{m} + 1) < 4:\n{L}\nelse:\n    t('else')",
)
ORDINARY = _blocks(Place()).map(
    lambda body: f"{PREAMBLE}try:\n{_indent(body)}\nexcept Exception as e:\n    t(said(e))\n{ENDING}"
)
"""Texts of whole programs."""
