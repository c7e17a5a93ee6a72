"""Holes on purpose, each a guard that is missing: the fuzzers have to find every one of them."""

from __future__ import annotations

import ast
import decimal
import json
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from RestrictedPython.transformer import RestrictingNodeTransformer

from hookrt.actions.python_snippet.worker import (
    channel,
    console,
    deadline,
    execute,
    guards,
    modules,
    offer,
    policy,
    serve,
    wire,
)
from hookrt.actions.python_snippet.worker.module import names_of


@dataclass(frozen=True, slots=True)
class Hole:
    """How to open it."""

    plant: Callable[[], None]


def _put(place: Any, name: str, value: Any) -> None:
    setattr(place, name, value)


def _plain_getattr() -> None:
    execute._BUILTINS["getattr"] = getattr


def _plain_attributes() -> None:
    execute._GUARDS["_getattr_"] = getattr


def _plain_format() -> None:
    def unguarded(template: str, *args: Any, **kwargs: Any) -> str:
        return str.format(template, *args, **kwargs)

    guards._format_text = unguarded


def _plain_import() -> None:
    execute._BUILTINS["__import__"] = __import__


def _plain_stores() -> None:
    execute._GUARDS["_write_"] = lambda owner: owner


def _plain_type() -> None:
    execute._BUILTINS["type"] = lambda value: type(value)


def _names_unchecked() -> None:
    _put(policy.SnippetPolicy, "check_name", lambda *_arguments, **_named: None)


def _frames_of_generators() -> None:
    listed = offer.ATTRIBUTES[types.GeneratorType] | {"gi_frame"}
    offer.ATTRIBUTES[types.GeneratorType] = listed


def _a_real_module() -> None:
    names = dict(names_of(modules.MODULES["json"]))
    object.__setattr__(modules.MODULES["json"], "_names", {**names, "decoder": json.decoder})


def _open() -> None:
    execute._BUILTINS["open"] = open


def _context_of_decimal() -> None:
    names = dict(names_of(modules.MODULES["decimal"]))
    object.__setattr__(modules.MODULES["decimal"], "_names", {**names, "setcontext": decimal.setcontext})


def _mro() -> None:
    execute._GUARDS["_getattr_"] = lambda owner, name: (
        owner.mro() if name == "mro" and isinstance(owner, type) else guards.read_attribute(owner, name)
    )


def _attributes_of_syntax() -> None:
    def visit(self: Any, node: ast.Attribute) -> Any:
        return RestrictingNodeTransformer.node_contents_visit(self, node)

    _put(policy.SnippetPolicy, "visit_Attribute", visit)


def _answers_twice() -> None:
    send = channel.Channel.send

    def twice(self: channel.Channel, message: Any) -> None:
        send(self, message)
        if isinstance(message, wire.Answer):
            send(self, message)

    _put(channel.Channel, "send", twice)


def _answers_anything() -> None:
    def decode(body: bytes) -> wire.Request:
        try:
            return wire.decode_request(body)
        except (msgspec.MsgspecError, RecursionError):
            return wire.Request(id="", hash="", code="result = 1")

    _put(serve, "decode_request", decode)


def _no_deadline() -> None:
    _put(deadline.Deadline, "start", lambda self, seconds: None)


def _no_output_limit() -> None:
    _put(console.Console, "__init__", lambda self, _limit: _unlimited(self))


def _unlimited(made: Any) -> None:
    made.full, made._room, made._parts = False, 2**40, []


def _no_result_limit() -> None:
    _put(execute, "Normaliser", lambda *_limits: _Copier())


class _Copier:
    def copy(self, value: Any) -> Any:
        """The value as it is."""
        return value


def _augmented_reads_twice() -> None:
    def visit(self: Any, node: ast.AugAssign) -> Any:
        read = ast.parse(ast.unparse(node.target), mode="eval").body
        plain = ast.Assign([node.target], ast.BinOp(read, node.op, node.value))
        return self.visit_Assign(ast.fix_missing_locations(ast.copy_location(plain, node)))

    _put(policy.SnippetPolicy, "visit_AugAssign", visit)


def _handlers_catch_all() -> None:
    execute._GUARDS["_any_error_"] = ValueError


def _lazy_chains() -> None:
    def visit(self: Any, node: ast.Compare) -> Any:
        node.comparators, node.ops = node.comparators[:1], node.ops[:1]
        return self.node_contents_visit(node)

    _put(policy.SnippetPolicy, "visit_Compare", visit)


HOLES: dict[str, Hole] = {
    "getattr is Python's own": Hole(_plain_getattr),
    "attributes are read without a guard": Hole(_plain_attributes),
    "the syntax of attributes is not rewritten": Hole(_attributes_of_syntax),
    "str.format reads attributes": Hole(_plain_format),
    "every module can be imported": Hole(_plain_import),
    "everything can be stored to": Hole(_plain_stores),
    "type() gives every type": Hole(_plain_type),
    "names are not checked": Hole(_names_unchecked),
    "generators show their frame": Hole(_frames_of_generators),
    "a module is offered itself": Hole(_a_real_module),
    "open is offered": Hole(_open),
    "the decimal context can be set": Hole(_context_of_decimal),
    "mro can be called": Hole(_mro),
}
"""In the policy, by name."""

WORKER_HOLES: dict[str, Hole] = {
    "a request is answered twice": Hole(_answers_twice),
    "what cannot be read is answered": Hole(_answers_anything),
    "there is no deadline": Hole(_no_deadline),
    "output has no limit": Hole(_no_output_limit),
    "results have no limit": Hole(_no_result_limit),
}
"""In the worker."""

CHANGES: dict[str, Hole] = {
    "the target of += is evaluated twice": Hole(_augmented_reads_twice),
    "a bare except catches less": Hole(_handlers_catch_all),
    "chained comparisons are cut": Hole(_lazy_chains),
}
"""What would change the meaning of ordinary programs."""
