"""What snippets are offered: built-in names, and for each type the attributes that may be read.

What is not listed does not exist for them. A name that Python adds to a type in a later version is offered by itself
only on plain data types, and only without an underscore.
"""

from __future__ import annotations

import binascii
import builtins
import collections
import datetime
import decimal
import fractions
import functools
import hashlib
import hmac
import itertools
import json
import re
import statistics
import string
import time
import types
import urllib.parse
import uuid
import zoneinfo
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from hookrt.actions.python_snippet.worker.capabilities import EmitError, SecretMissing, State, StateError
from hookrt.actions.python_snippet.worker.http_face import Headers, Http, HttpError, Response
from hookrt.actions.python_snippet.worker.stops import CapabilityError

_PLAIN = """
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate filter float
    format frozenset hash hex int isinstance issubclass iter len list map max min next object oct ord pow property
    range repr reversed round set slice sorted staticmethod str sum tuple zip Ellipsis NotImplemented
    """
_WITHHELD_ERRORS = {"BaseException", "BaseExceptionGroup", "ExceptionGroup", "GeneratorExit", "KeyboardInterrupt"}
GUARDED = ("getattr", "hasattr", "setattr", "delattr", "type")
"""Built-ins that the guards provide in their own form."""


def _errors() -> dict[str, Any]:
    found = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
    errors = {name: value for name, value in found.items() if issubclass(value, Exception)}
    return {name: value for name, value in errors.items() if name not in _WITHHELD_ERRORS}


PLAIN_BUILTINS: dict[str, Any] = {name: getattr(builtins, name) for name in _PLAIN.split()} | _errors()
"""Built-ins that snippets get as they are."""

BUILTINS = frozenset(PLAIN_BUILTINS) | set(GUARDED) | {"print", "True", "False", "None"}
"""Every built-in name that snippets have."""

NEVER = INSPECT_ATTRIBUTES | {"format", "format_map", "mro", "obj"}
"""Attributes that no listing offers by accident: frames and code, formats that read attributes, ways to `object`."""

OPEN_TYPES: tuple[type, ...] = (
    *(bool, bytes, bytearray, complex, dict, float, frozenset, int, list, object, range, set, slice, str, tuple),
    *(type(None), type(Ellipsis), type(NotImplemented)),
    *(collections.ChainMap, collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone, datetime.tzinfo),
    *(type(datetime.date.min.isocalendar()), decimal.Decimal, decimal.DecimalTuple, fractions.Fraction),
    *(re.Match, re.Pattern, statistics.LinearRegression, time.struct_time, uuid.UUID),
    *(urllib.parse.ParseResult, urllib.parse.SplitResult, urllib.parse.DefragResult),
    *(urllib.parse.ParseResultBytes, urllib.parse.SplitResultBytes, urllib.parse.DefragResultBytes),
)
"""Plain data: every public attribute is offered, and `type(x)` may be one of them."""


def _listed() -> dict[type, str]:
    """Types of which only some attributes are offered."""
    keyed = hmac.new(b"", b"", hashlib.sha256)
    hashes = [
        type(hashlib.sha256()),
        type(hashlib.sha3_256()),
        type(hashlib.blake2b()),
        type(hashlib.blake2s()),
        type(keyed),
    ]
    hashes += [type(hashlib.new(name)) for name in ("md5", "shake_128")]
    cached = functools.lru_cache(lambda: None)
    return {
        **dict.fromkeys(hashes, "update digest hexdigest copy name digest_size block_size"),
        **dict.fromkeys((type({}.keys()), type({}.items())), "isdisjoint"),
        types.GeneratorType: "send throw close",
        types.MappingProxyType: "get items keys values",
        property: "getter setter deleter",
        itertools.chain: "from_iterable",
        decimal.Context: "quantize create_decimal create_decimal_from_float to_sci_string to_eng_string prec rounding",
        string.Template: "substitute safe_substitute template is_valid get_identifiers",
        zoneinfo.ZoneInfo: "key utcoffset tzname dst fromutc",
        type(cached): "cache_info cache_clear",
        type(cached.cache_info()): "hits misses maxsize currsize",
        Http: "get head options post put patch delete request Error",
        Response: "status_code status ok is_success is_error url headers text content body json raise_for_status",
        Headers: "get keys values items",
        State: "get set delete compare_and_set add Error",
    }


_ERROR_ATTRIBUTES: dict[type[BaseException], str] = {
    Exception: "args add_note",
    StopIteration: "args value",
    KeyError: "args",
    NameError: "args name",
    AttributeError: "args name",
    ImportError: "args name msg",
    OSError: "args errno strerror filename",
    SyntaxError: "args msg lineno offset text",
    UnicodeError: "args encoding object start end reason",
    json.JSONDecodeError: "args msg doc pos lineno colno",
    re.error: "args msg pattern pos lineno colno",
    binascii.Error: "args",
    **dict.fromkeys((CapabilityError, StateError, SecretMissing, EmitError), "args reason message"),
    HttpError: "args reason message response status_code",
}


def _public(kind: type) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if not name.startswith("_")) - NEVER


ATTRIBUTES: dict[type, frozenset[str]] = {
    **{kind: _public(kind) for kind in OPEN_TYPES},
    **{kind: frozenset(names.split()) for kind, names in _listed().items()},
    **{kind: frozenset(names.split()) for kind, names in _ERROR_ATTRIBUTES.items()},
}
"""The attributes that may be read, by the exact type; an exception takes those of its nearest listed ancestor."""

INDEXED: frozenset[type] = frozenset(
    {
        *(bytearray, bytes, dict, list, range, str, tuple, re.Match, time.struct_time, types.MappingProxyType),
        *(collections.ChainMap, collections.Counter, collections.OrderedDict, collections.defaultdict),
        *(collections.deque, type(functools.lru_cache(lambda: None).cache_info())),
        *(type(datetime.date.min.isocalendar()), decimal.DecimalTuple, statistics.LinearRegression),
        *(urllib.parse.ParseResult, urllib.parse.SplitResult, urllib.parse.DefragResult),
        *(urllib.parse.ParseResultBytes, urllib.parse.SplitResultBytes, urllib.parse.DefragResultBytes),
        *(Headers, State),
    }
)
"""The types whose items may be read."""

WRITABLE: frozenset[type] = frozenset(
    {
        *(bytearray, dict, list, collections.ChainMap, collections.Counter, collections.OrderedDict),
        *(collections.defaultdict, collections.deque, State),
    }
)
"""The types whose items may be set and deleted; beside them only the snippet's own objects."""
