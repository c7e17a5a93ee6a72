"""The modules that a snippet can import: frozen selections of names, never the modules themselves.

A real module leads everywhere (`json.codecs.builtins.open`), and a store to one would outlive the run.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import calendar
import collections
import copy
import datetime
import decimal
import fractions
import functools
import hashlib
import heapq
import hmac
import html
import itertools
import json
import math
import operator
import os
import random
import re
import secrets
import statistics
import string
import sys
import textwrap
import time
import typing
import unicodedata
import urllib.parse
import uuid
import zoneinfo
from collections.abc import Mapping
from typing import Any

from hookrt.actions.python_snippet.worker import operators
from hookrt.actions.python_snippet.worker.hints import HINTS
from hookrt.actions.python_snippet.worker.module import Module, names_of
from hookrt.actions.python_snippet.worker.stops import DeniedImportError
from hookrt.actions.python_snippet.worker.wrapped import (
    bound_sleep,
    cache,
    copied,
    deeply_copied,
    hide_cache,
    lru_cache,
    total_ordering,
    wraps,
)
from hookrt.actions.python_snippet.worker.zones import zone, zone_names


def _public(real: Any, without: str = "", only: str = "") -> dict[str, Any]:
    names = only.split() or getattr(real, "__all__", None) or [name for name in dir(real) if not name.startswith("_")]
    dropped = set(without.split())
    return {name: hide_cache(getattr(real, name)) for name in names if name not in dropped}


def _regular_expressions() -> dict[str, Any]:
    names = _public(
        re, only="compile search match fullmatch split findall finditer sub subn escape error Pattern Match"
    )
    flags = "A ASCII DEBUG I IGNORECASE L LOCALE M MULTILINE S DOTALL U UNICODE X VERBOSE NOFLAG"
    return names | {name: int(getattr(re, name)) for name in flags.split() if name != "DEBUG"}


def _randomness() -> dict[str, Any]:
    generator = random.Random()  # noqa: S311 - as Python's own; secrets are not made here
    os.register_at_fork(after_in_child=generator.seed)  # else every process that is made for a run draws the same
    names = (
        "betavariate choice choices expovariate gauss getrandbits lognormvariate normalvariate paretovariate "
        "randbytes randint random randrange sample shuffle triangular uniform vonmisesvariate weibullvariate"
    )
    return {name: getattr(generator, name) for name in names.split()}


def _clock() -> dict[str, Any]:
    names = "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns gmtime localtime mktime strftime strptime"
    return _public(time, only=names + " struct_time asctime ctime") | {"sleep": bound_sleep}


def _hashes() -> dict[str, Any]:
    names = (
        "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s shake_128 shake_256"
    )
    return _public(hashlib, only=names + " new")


def _numbers() -> dict[str, Any]:
    rounding = "CEILING DOWN FLOOR HALF_DOWN HALF_EVEN HALF_UP UP 05UP"
    names = (
        "Decimal Context Clamped DecimalException DivisionByZero FloatOperation Inexact InvalidOperation Overflow "
        "Rounded Subnormal Underflow "
    )
    return _public(decimal, only=names + " ".join(f"ROUND_{way}" for way in rounding.split()))


def _functions() -> dict[str, Any]:
    made = {"wraps": wraps, "total_ordering": total_ordering, "lru_cache": lru_cache, "cache": cache}
    return _public(functools, only="reduce partial cmp_to_key") | made


def _operations() -> dict[str, Any]:
    names = (
        "lt le eq ne ge gt not_ truth is_ is_not abs add and_ floordiv index inv invert lshift mod mul matmul neg or_ "
        "pos pow rshift sub truediv xor concat contains countOf indexOf"
    )
    made = {"itemgetter": operators.itemgetter, "attrgetter": operators.attrgetter}
    return _public(operator, only=names) | made | {"methodcaller": operators.methodcaller}


def _time_zones() -> dict[str, Any]:
    made = {"ZoneInfo": zone, "available_timezones": zone_names}
    return _public(zoneinfo, only="ZoneInfoNotFoundError") | made


_URLS = Module("urllib.parse", _public(urllib.parse, without="ResultBase clear_cache"), urllib.parse)

MODULES: Mapping[str, Module] = {
    "base64": Module("base64", _public(base64, without="encode decode main"), base64),
    "binascii": Module("binascii", _public(binascii), binascii),
    "bisect": Module(
        "bisect", _public(bisect, only="bisect bisect_left bisect_right insort insort_left insort_right"), bisect
    ),
    "calendar": Module("calendar", _public(calendar, only="isleap leapdays monthrange weekday timegm"), calendar),
    "collections": Module(
        "collections", _public(collections, only="defaultdict Counter OrderedDict deque ChainMap"), collections
    ),
    "copy": Module("copy", {"copy": copied, "deepcopy": deeply_copied}, copy),
    "datetime": Module("datetime", _public(datetime, without="datetime_CAPI sys"), datetime),
    "decimal": Module("decimal", _numbers(), decimal),
    "fractions": Module("fractions", {"Fraction": fractions.Fraction}, fractions),
    "functools": Module("functools", _functions(), functools),
    "hashlib": Module("hashlib", _hashes(), hashlib),
    "heapq": Module("heapq", _public(heapq), heapq),
    "hmac": Module("hmac", _public(hmac, only="new digest compare_digest"), hmac),
    "html": Module("html", _public(html, only="escape unescape"), html),
    "itertools": Module("itertools", _public(itertools), itertools),
    "json": Module("json", _public(json, only="loads dumps JSONDecodeError"), json),
    "math": Module("math", _public(math), math),
    "operator": Module("operator", _operations(), operator),
    "random": Module("random", _randomness(), random),
    "re": Module("re", _regular_expressions(), re),
    "secrets": Module("secrets", _public(secrets, without="SystemRandom"), secrets),
    "statistics": Module("statistics", _public(statistics, without="NormalDist"), statistics),
    "string": Module("string", _public(string, without="Formatter"), string),
    "textwrap": Module("textwrap", _public(textwrap, without="TextWrapper"), textwrap),
    "time": Module("time", _clock(), time),
    "typing": Module("typing", HINTS, typing),
    "unicodedata": Module("unicodedata", _public(unicodedata, without="UCD ucd_3_2_0"), unicodedata),
    "urllib": Module("urllib", {"parse": _URLS}, urllib),
    "urllib.parse": _URLS,
    "uuid": Module(
        "uuid",
        _public(uuid, only="UUID uuid3 uuid4 uuid5 NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID NAMESPACE_X500"),
        uuid,
    ),
    "zoneinfo": Module("zoneinfo", _time_zones(), zoneinfo),
}
"""Every module that a snippet can import."""

_FOR_C_CODE = frozenset({"_strptime", "time", "datetime", "decimal", "re"})


def import_module(name: str, _globals: Any = None, _locals: Any = None, wanted: Any = (), level: int = 0) -> Any:
    """The `__import__` of snippets: exact names only.

    C code such as `datetime.strptime` imports through here too. It asks with a list where byte code has a tuple, and
    takes what it wants from `sys.modules`.
    """
    if type(wanted) is list and name in _FOR_C_CODE:
        return sys.modules[name]
    if level or name not in MODULES:
        raise DeniedImportError(f"the module {'.' * level + name!r} is not available in snippets")
    module = MODULES[name]
    for each in wanted or ():
        if each not in names_of(module):
            raise DeniedImportError(f"{name}.{each} is not available in snippets")
    return module if wanted or "." not in name else MODULES[name.partition(".")[0]]
