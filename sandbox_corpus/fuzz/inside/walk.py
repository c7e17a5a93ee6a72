"""What a snippet may hold: every object that it reaches is judged, and followed as far as the guards let it."""

from __future__ import annotations

import binascii
import collections
import functools
import itertools
import re
import types
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from hookrt.actions.python_snippet.worker import execute
from hookrt.actions.python_snippet.worker.capabilities import Emitter, Secrets, State
from hookrt.actions.python_snippet.worker.classes import SnippetType, is_own_function
from hookrt.actions.python_snippet.worker.console import Console
from hookrt.actions.python_snippet.worker.context import Context
from hookrt.actions.python_snippet.worker.guards import GUARDED_BUILTINS
from hookrt.actions.python_snippet.worker.hints import Hint
from hookrt.actions.python_snippet.worker.http_face import Headers, Http, Response
from hookrt.actions.python_snippet.worker.module import Module, names_of
from hookrt.actions.python_snippet.worker.modules import MODULES
from hookrt.actions.python_snippet.worker.offer import ATTRIBUTES, OPEN_TYPES, PLAIN_BUILTINS
from sandbox_corpus.fuzz.inside.marks import CANARY

MAX_OBJECTS = 3000
_INSIDES = (
    "gi_frame",
    "gi_code",
    "gi_yieldfrom",
    "tb_frame",
    "f_globals",
    "f_back",
    "cr_frame",
    "mro",
    "obj",
    "sys",
    "os",
)
_SAYABLE = tuple(name for name in _INSIDES if name not in INSPECT_ATTRIBUTES)
_HIDDEN = (
    "__class__",
    "__globals__",
    "__dict__",
    "__self__",
    "__init__",
    "__code__",
    "__traceback__",
    "_names",
    "_values",
)

_ANY: Any = re
_compare: Any = int
_ITERATORS: tuple[Any, ...] = (
    *(iter([]), iter(()), iter({}), iter({}.items()), iter({}.values()), iter(set()), iter(""), iter("é"), iter(b"")),
    *(iter(bytearray()), iter(range(0)), iter(range(2**70)), iter(int, 1), reversed([]), reversed({}), iter(())),
    *(reversed({}.items()), reversed({}.values()), iter(collections.deque()), reversed(collections.deque())),
    *(iter(collections.OrderedDict()), re.finditer("", ""), {}.keys(), {}.values(), {}.items(), functools.partial(int)),
    *(collections.OrderedDict().keys(), collections.OrderedDict().items(), collections.OrderedDict().values()),
    *(map(int, ()), filter(int, ()), zip(), enumerate(()), reversed(()), iter(collections.OrderedDict().items())),
    *(
        functools.cmp_to_key(_compare)(0),
        functools.cmp_to_key(_compare),
        functools.lru_cache(int),
        _ANY.compile("").scanner(""),
    ),
    *(int | str, property(), staticmethod(int), classmethod(_compare), itertools.groupby(()), itertools.tee(())[0]),
    *(next(itertools.groupby("a"))[1], uuid.SafeUUID.unknown, (each for each in "")),
)
NATIVE = frozenset({Context, Secrets, State, Http, Headers, Response, Hint})
"""The types of what a run is given, which answer for themselves."""

INNOCENT = frozenset(
    {
        *OPEN_TYPES,
        *ATTRIBUTES,
        *(type(each) for each in _ITERATORS),
        *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
        *NATIVE,
    }
)
"""The types whose instances anybody may hold: data, iterators, and what wraps a function."""


def _offered() -> Iterator[Any]:
    yield from PLAIN_BUILTINS.values()
    yield from GUARDED_BUILTINS.values()
    for module in MODULES.values():
        yield from names_of(module).values()
    for kind, names in ATTRIBUTES.items():
        yield from (getattr(kind, name) for name in names if hasattr(kind, name))
    yield from (Console.print, Console.log, Emitter.emit)
    for kind in NATIVE:
        yield from (each for name, each in vars(kind).items() if not name.startswith("_"))


def _function(value: Any) -> Any:
    return getattr(value, "__func__", value)


OFFERED = frozenset(id(_function(each)) for each in _offered())
MODULE_IDS = frozenset(id(module) for module in MODULES.values())
OFFERED_TYPES = frozenset(
    each
    for each in (*_offered(), *OPEN_TYPES, *ATTRIBUTES)
    if isinstance(each, type) and each is not Exception.__base__
)
BUILT_IN = frozenset({types.BuiltinFunctionType, type(re.compile("").match)})
ALIKE = (
    (INNOCENT - NATIVE)
    | BUILT_IN
    | {types.FunctionType, types.MethodType, types.MethodDescriptorType, types.GetSetDescriptorType}
)
OF_ERRORS = frozenset(name for kind, names in ATTRIBUTES.items() if issubclass(kind, Exception) for name in names)
CLOSURES = frozenset(
    {
        "lru_cache.<locals>.<lambda>",
        "hide_cache.<locals>.call",
        "_formatter.<locals>.bound",
        "_format_text",
        "_format_map",
        "wraps.<locals>.<lambda>",
        "attrgetter.<locals>.<lambda>",
        "itemgetter.<locals>.<lambda>",
        "methodcaller.<locals>.<lambda>",
    }
)


def judge(value: Any) -> str | None:
    """Why a snippet must not hold this object; None when it may."""
    kind = type(value)
    if kind is str:
        return "the canary" if CANARY in value else None
    if kind in INNOCENT or type(kind) is SnippetType:
        return None
    if kind is Module:
        return None if id(value) in MODULE_IDS else "a module that is not offered"
    if isinstance(value, type):
        return None if _type_is_offered(value) else f"the type {value!r}"
    if isinstance(value, Exception):
        return None
    return None if _callable_is_offered(value, kind) else f"a {kind.__name__}: {value!r:.100}"


def _type_is_offered(value: type) -> bool:
    if type(value) is SnippetType or value in OFFERED_TYPES:
        return True
    return issubclass(value, Exception)


def _callable_is_offered(value: Any, kind: type) -> bool:
    if kind is types.FunctionType:
        made = value.__module__.startswith(("hookrt.", "functools")) and value.__qualname__ in CLOSURES
        return is_own_function(value) or id(value) in OFFERED or made
    if kind is types.MethodType:
        return _callable_is_offered(value.__func__, type(value.__func__)) or judge(value.__func__) is None
    if kind in BUILT_IN:
        return id(value) in OFFERED or _is_listed(_owner(value.__self__), value.__name__)
    if kind in {types.MethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType}:
        return _is_listed(value.__objclass__, value.__name__)
    return False


def _owner(bound_to: Any) -> type:
    return bound_to if isinstance(bound_to, type) else type(bound_to)


def _is_listed(owner: type, name: str) -> bool:
    if issubclass(owner, BaseException):
        return name in OF_ERRORS
    return any(name in ATTRIBUTES.get(kind, ()) for kind in owner.__mro__)


class Walk:
    """One walk through all that can be reached; `findings` says what must not have been there.

    `known` holds the types of which an object has been read whole; it is kept from walk to walk.
    """

    def __init__(self, known: set[type]) -> None:
        self.findings: list[str] = []
        self._known = known
        self._seen: dict[int, Any] = {}  # holds them, so that no id is used twice

    def follow(self, roots: Iterable[tuple[str, Any]]) -> None:
        """Judge the roots and whatever they lead to, up to a bounded number of objects."""
        waiting = collections.deque(roots)
        while waiting and len(self._seen) < MAX_OBJECTS:
            path, value = waiting.popleft()
            if id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            reason = judge(value)
            if reason is not None:
                self.findings.append(f"{path} is {reason}")
            else:
                waiting.extend((f"{path}{step}"[:200], part) for step, part in self._follow(value))

    def _follow(self, value: Any) -> Iterator[tuple[str, Any]]:
        yield from _parts(value)
        alike = _alike(value)
        if alike in self._known:
            return
        readable = list(_readable(value))
        if alike is not None and all(judge(part) is None for _, part in readable):
            self._known.add(alike)
        yield from readable


def _alike(value: Any) -> type | None:
    """What the guards treat in the same way as this object: itself if it is a class of Python's, else its type."""
    if isinstance(value, type):
        return value if value in OFFERED_TYPES else None
    kind = type(value)
    return kind if kind in ALIKE or (issubclass(kind, Exception) and type(kind) is type) else None


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind in {list, tuple, set, frozenset, collections.deque}:
        yield from ((f"[{index}]", each) for index, each in enumerate(list(value)[:200]))
    elif kind in {dict, collections.OrderedDict, collections.defaultdict, collections.Counter}:
        for key, each in list(value.items())[:200]:
            yield f"[key {key!r:.40}]", key
            yield f"[{key!r:.40}]", each
    elif is_own_function(value):
        yield from _of_function(value)
    elif type(kind) is SnippetType or kind is SnippetType or isinstance(value, BaseException):
        yield from ((f".{name}", each) for name, each in vars(value).items() if not name.startswith("_"))
    elif isinstance(value, types.GeneratorType) and value.gi_frame is not None:
        yield from ((f".local {name}", each) for name, each in value.gi_frame.f_locals.items())


def _of_function(value: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for cell in value.__closure__ or ():
        try:
            yield ".cell", cell.cell_contents
        except ValueError:
            continue
    yield from ((".default", each) for each in value.__defaults__ or ())
    yield from ((f".{name}", each) for name, each in vars(value).items())


def _readable(value: Any) -> Iterator[tuple[str, Any]]:
    """Whatever the guards give of it, for every name that it has and for those of insides."""
    names = _names(value)
    yield from _attempts(execute._GUARDS["_getattr_"], value, [*names, *_SAYABLE])
    yield from _attempts(execute._BUILTINS["getattr"], value, [*names, *_INSIDES, *_HIDDEN])
    yield from (("type()", found) for _, found in _attempts(execute._BUILTINS["type"], value, None))


def _attempts(guard: Any, value: Any, names: list[str] | None) -> Iterator[tuple[str, Any]]:
    for arguments in [()] if names is None else [(name,) for name in names]:
        try:
            found = guard(value, *arguments)
        except Exception:  # noqa: S112 - refused, or of its own making
            continue
        yield f".{arguments[0] if arguments else ''}", found


def _names(value: Any) -> list[str]:
    if type(value) is Module:
        return list(names_of(value))
    try:
        return [name for name in dir(value) if not str(name).startswith("_")]
    except (TypeError, binascii.Error):
        return []
