"""The one published list of what an expression may mention: names, fields and functions, each with a line for people.

What stands here is what compiles; the documentation and every did-you-mean read from the same list.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hookrt.model.cel_function import CelFunction


@dataclass(frozen=True, slots=True)
class Names:
    """Which names one expression sees.

    `steps` are the ids of the steps before it, `all_steps` those of the whole hook (to say "is a later step").
    `with_steps` says whether `steps` exists here at all, `secrets` whether `secrets.NAME` may be used. `request` says
    that this is an expression of a source over the request that came in, which sees that and the event, nothing else.
    `functions` are those that exist beside hookrt's own; `missing` is what to say of one that does not exist.
    """

    steps: tuple[str, ...] = ()
    all_steps: tuple[str, ...] = ()
    secrets: bool = False
    with_steps: bool = False
    request: bool = False
    functions: tuple[CelFunction, ...] = ()
    missing: str = ""

    @property
    def forms(self) -> Mapping[str, str]:
        """How each function that exists is written."""
        if not self.functions:
            return FUNCTION_FORMS
        return {**FUNCTION_FORMS, **{one.name: one.form for one in self.functions}}


@dataclass(frozen=True, slots=True)
class Mentions:
    """What an expression mentions outside its event: ids of steps, names of secrets, names of variables."""

    steps: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()

    def joined(self, other: Mentions) -> Mentions:
        """What either of the two mentions."""
        return Mentions(self.steps | other.steps, self.secrets | other.secrets, self.env | other.env)


@dataclass(frozen=True, slots=True)
class Published:
    """One name or function: how to write it, and what it is."""

    name: str
    form: str
    about: str


VARIABLES = (
    Published("event", "event.data.user.name", "the event: id, type, source, subject, time, data, attributes"),
    Published("steps", "steps.ID.output", "results of the earlier steps: status, output, error"),
    Published("hook", "hook", "the name of the hook"),
    Published("env", "env.NAME", "a variable of the service's environment, as text; HOOKRT_* is refused"),
    Published("secrets", "secrets.NAME", "a secret, in settings only"),
)
"""The names at the root of every path."""

REQUEST_VARIABLES = (
    Published("body", "body.action", "the request's body: of JSON or a form its value, else its text"),
    Published("headers", 'headers["x-github-event"]', "the request's headers, names in lower case"),
    Published("query", "query.name", "the parameters of the request's URL"),
    Published("event", "event.type", "the event that the source makes of the request"),
)
"""The names at the root of every path in `type`, `subject` and `id` of a source; there are no others."""

EVENT_FIELDS = ("id", "type", "source", "subject", "time", "data", "attributes", "data_base64")
"""All fields of `event`. `time` is RFC 3339 text (`timestamp(event.time)` for arithmetic); `data_base64` exists for
binary content only; what is below `data` and `attributes` is the sender's."""

STEP_FIELDS = ("status", "output", "error")
"""All fields of `steps.ID`."""

TYPE_NAMES = ("int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type")
"""What `type(x)` can be compared with."""

FUNCTIONS = (
    Published(
        "get", 'get(object, "dotted.path", default)', "a field that may be missing or null; `0` is a list's first"
    ),
    Published("has", "has(event.data.user)", "whether the last field of the path exists"),
    Published("size", "size(x)", "the length of a text, list or map"),
    Published("contains", "text.contains(part)", "whether the part occurs"),
    Published("startsWith", "text.startsWith(part)", "whether it begins so"),
    Published("endsWith", "text.endsWith(part)", "whether it ends so"),
    Published("matches", "text.matches(pattern)", "whether the RE2 pattern is found anywhere in it"),
    Published("lowerAscii", "text.lowerAscii()", "A-Z in lower case"),
    Published("upperAscii", "text.upperAscii()", "a-z in upper case"),
    Published("trim", "text.trim()", "without white space around it"),
    Published("replace", "text.replace(old, new)", "every `old` replaced; a third argument limits how many"),
    Published("split", "text.split(separator)", "a list; a second argument limits its length"),
    Published("join", "list.join(separator)", "one text of a list of texts"),
    Published("substring", "text.substring(start, end)", "a part, counted from 0; without `end` to its end"),
    Published("indexOf", "text.indexOf(part)", "where the part begins, -1 if nowhere"),
    Published("lastIndexOf", "text.lastIndexOf(part)", "where the part begins for the last time, -1 if nowhere"),
    Published("charAt", "text.charAt(index)", "one character"),
    Published("reverse", "text.reverse()", "backwards"),
    Published("format", '"%s is %d".format([a, b])', "values put into a text"),
    Published("strings.quote", "strings.quote(text)", "the text in quotes, its own escaped"),
    Published("string", "string(x)", "as text"),
    Published("int", "int(x)", "as an integer"),
    Published("uint", "uint(x)", "as an unsigned integer"),
    Published("double", "double(x)", "as a floating point number"),
    Published("bool", "bool(x)", 'as a boolean, from "true" and "false"'),
    Published("bytes", "bytes(text)", "the UTF-8 bytes of a text"),
    Published("type", "type(x)", "its type, to compare with int, string, list, map, ..."),
    Published("dyn", "dyn(x)", "the same value, its type checked only when it is used"),
    Published("timestamp", "timestamp(text)", "a time from RFC 3339 text, as in timestamp(event.time)"),
    Published("duration", 'duration("90s")', "a span of time"),
    Published("getFullYear", "time.getFullYear()", "the year; a time zone may be given, as in all of these"),
    Published("getMonth", "time.getMonth()", "0 is January"),
    Published("getDate", "time.getDate()", "the day of the month, from 1"),
    Published("getDayOfMonth", "time.getDayOfMonth()", "the day of the month, from 0"),
    Published("getDayOfWeek", "time.getDayOfWeek()", "0 is Sunday"),
    Published("getDayOfYear", "time.getDayOfYear()", "from 0"),
    Published("getHours", 'time.getHours("Europe/Berlin")', "the hour, of a duration all of its hours"),
    Published("getMinutes", "time.getMinutes()", "the minute"),
    Published("getSeconds", "time.getSeconds()", "the second"),
    Published("getMilliseconds", "time.getMilliseconds()", "the milliseconds"),
    Published("all", "list.all(x, x > 1)", "whether it holds for every element"),
    Published("exists", "list.exists(x, x > 1)", "whether it holds for one element at least"),
    Published("exists_one", "list.exists_one(x, x > 1)", "whether it holds for exactly one element"),
    Published("filter", "list.filter(x, x > 1)", "the elements for which it holds"),
    Published("map", "list.map(x, x * 2)", "what becomes of each element; with three arguments filtered first"),
    Published("orValue", 'event.data.?name.orValue("")', "the optional value, or this one"),
    Published("or", "optional.or(other)", "the first optional that has a value"),
    Published("hasValue", "event.data.?name.hasValue()", "whether the optional has a value"),
    Published("value", "event.data.?name.value()", "the optional's value; without one there is no answer"),
    Published("optMap", "event.data.?name.optMap(x, x + 1)", "what becomes of the value, if there is one"),
    Published("optFlatMap", "optional.optFlatMap(x, x.?name)", "the same, where it is an optional again"),
    Published("optional.of", "optional.of(x)", "an optional with this value"),
    Published("optional.ofNonZeroValue", "optional.ofNonZeroValue(x)", "an optional without empty values"),
    Published("optional.none", "optional.none()", "an optional without a value"),
)
"""Every function and macro. Nothing else compiles."""

FUNCTION_FORMS = {function.name: function.form for function in FUNCTIONS}
"""How each function is written."""

OPERATOR_SIGNS = {
    "_&&_": "&&",
    "_||_": "||",
    "!_": "!",
    "_==_": "==",
    "_!=_": "!=",
    "_<_": "<",
    "_<=_": "<=",
    "_>_": ">",
    "_>=_": ">=",
    "_+_": "+",
    "_-_": "-",
    "_*_": "*",
    "_/_": "/",
    "_%_": "%",
    "-_": "-",
    "_[_]": "[ ]",
    "_?_:_": "? :",
    "@in": "in",
    "_?._": ".?",
    "_[?_]": "[? ]",
}
"""How each operator of the library is written."""

_ELSEWHERE = {
    "None": "null",
    "nil": "null",
    "undefined": "null",
    "True": "true",
    "False": "false",
    "len": "size",
    "length": "size",
    "lower": "lowerAscii",
    "toLowerCase": "lowerAscii",
    "upper": "upperAscii",
    "toUpperCase": "upperAscii",
    "includes": "contains",
    "strip": "trim",
    "str": "string",
    "any": "exists",
    "some": "exists",
    "every": "all",
    "orElse": "orValue",
}


def suggest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest choice, or nothing when none is close."""
    known = list(choices)
    elsewhere = _ELSEWHERE.get(word)
    if elsewhere in known or elsewhere in ("null", "true", "false"):
        return f"; did you mean '{elsewhere}'?"
    by_case = {choice.lower(): choice for choice in known}
    close = by_case.get(word.lower()) or next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), None)
    return f"; did you mean '{close}'?" if close else ""


def variables_for(names: Names) -> tuple[str, ...]:
    """The root names that exist under these Names."""
    if names.request:
        return tuple(variable.name for variable in REQUEST_VARIABLES)
    absent = {"steps": not names.with_steps, "secrets": not names.secrets}
    return tuple(variable.name for variable in VARIABLES if not absent.get(variable.name, False))
