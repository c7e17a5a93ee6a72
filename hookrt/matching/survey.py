"""What an expression mentions, found in its tree, and every rule about expressions that the library does not know."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from hookrt.errors import ExpressionError
from hookrt.matching.names import (
    EVENT_FIELDS,
    OPERATOR_SIGNS,
    STEP_FIELDS,
    TYPE_NAMES,
    Mentions,
    Names,
    suggest,
    variables_for,
)
from hookrt.matching.optionals import is_optional, misplaced_optional
from hookrt.matching.paths import Path
from hookrt.matching.scanner import place_of, start_of_name
from hookrt.matching.syntax_tree import (
    Call,
    Constant,
    ListLiteral,
    Loop,
    MapLiteral,
    Name,
    Node,
    Select,
    Tree,
    children,
)


class Use(Enum):
    """How a mentioned value is used, which decides how large it may be.

    `ONCE`: any size. `PRESENCE`: only whether it exists. `LOOPED`: a macro goes over it. `REPEATED`: it is looked
    at once for every element of something else.
    """

    ONCE = "once"
    PRESENCE = "presence"
    LOOPED = "looped"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Mention:
    """A path in an expression. From `optional_from` on its segments may be absent; with `tolerant` also null."""

    path: Path
    use: Use = Use.ONCE
    optional_from: int = 1_000
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """All paths that an expression mentions, in order, and what of them lies outside the event."""

    paths: tuple[Mention, ...]
    mentions: Mentions


@dataclass(frozen=True, slots=True)
class _Context:
    use: Use = Use.ONCE
    bound: frozenset[str] = frozenset()
    in_macro: bool = False


_OPERATORS = frozenset((*OPERATOR_SIGNS, "@not_strictly_false"))
_PASSES_LISTS = frozenset(("orValue", "or", "value", "optional.of", "optional.ofNonZeroValue", "dyn"))
_READS_FIELDS = frozenset((".", "_[_]", "_?._", "_[?_]"))
MAX_ELEMENTS = 1_000
"""Most elements that a macro may go over (RULES, "The file")."""


@dataclass(slots=True)
class Surveyor:
    """Walks one tree. `patterns` collects the literal patterns of `matches` with their offsets, for the library."""

    text: str
    tree: Tree
    names: Names
    found: list[Mention] = field(default_factory=list)
    patterns: list[tuple[str, int]] = field(default_factory=list)

    def survey(self) -> Survey:
        """Walk it all; raises ExpressionError at the first thing that is not allowed."""
        self._walk(self.tree.root, _Context())
        if is_optional(self.tree.root, self.tree):
            raise self._error(self.tree.root, "the value is optional: unwrap it, with .orValue(default)")
        return Survey(tuple(self.found), self._mentions())

    def path_of(self, node: Node, bound: frozenset[str] = frozenset()) -> Mention | None:
        """The path that a node is, if it is nothing but one."""
        if isinstance(node, Name):
            known = node.name in variables_for(self.names) and node.name not in bound
            return Mention((node.name,)) if known else None
        if isinstance(node, Select):
            above = self.path_of(node.operand, bound)
            return above and _below(above, node.field, optional=False, test=node.test)
        if isinstance(node, Call) and node.function in ("_[_]", "_?._", "_[?_]"):
            above, key = self.path_of(node.arguments[0], bound), node.arguments[1]
            if above and isinstance(key, Constant) and _is_key(key.value):
                return _below(above, key.value, optional=node.function != "_[_]", test=False)
        return None

    def _walk(self, node: Node, context: _Context) -> None:
        mention = self.path_of(node, context.bound)
        if mention is not None:
            self._add(mention, node, context)
        elif isinstance(node, Name):
            self._check_name(node, context)
        elif isinstance(node, Loop):
            self._walk_loop(node, context)
        elif isinstance(node, Call):
            self._walk_call(node, context)
        else:
            self._check_literal(node)
            for child in children(node):
                self._walk(child, context)

    def _add(self, mention: Mention, node: Node, context: _Context) -> None:
        self._check_path(mention, node)
        self.found.append(mention if mention.use is Use.PRESENCE else replace(mention, use=context.use))

    def _walk_call(self, node: Call, context: _Context) -> None:
        if node.function not in _OPERATORS and node.function not in self.names.forms:
            raise self._error(node, f"'{node.function}' cannot be used here{suggest(node.function, self.names.forms)}")
        self._check_optionals(node)
        if node.function == "matches":
            self._note_pattern(node)
        if node.function in ("replace", "join"):
            self._check_growth(node)
        if node.function == "get" and self._walk_get(node, context):
            return
        for child in children(node):
            self._walk(child, context)

    def _walk_get(self, node: Call, context: _Context) -> bool:
        """`get` with a literal path mentions just that path; False when it is something else."""
        target, dotted, default = node.arguments
        above = self.path_of(target, context.bound)
        if above is None or not isinstance(dotted, Constant) or not isinstance(dotted.value, str):
            return False
        if not all(dotted.value.split(".")):
            raise self._error(dotted, "a path in get() is like 'data.user.name', without empty segments")
        path = (*above.path, *dotted.value.split("."))
        start = min(above.optional_from, len(above.path))
        self._add(replace(above, path=path, optional_from=start, tolerant=True), dotted, context)
        self._walk(default, context)
        return True

    def _walk_loop(self, node: Loop, context: _Context) -> None:
        self._check_optionals(node)
        bound = context.bound | set(node.variables)
        if isinstance(node.over, ListLiteral) and not node.over.elements:  # optMap: a name for a value, no loop
            self._check_variables(node)
            for child in (node.start, *node.body):
                self._walk(child, replace(context, bound=bound))
            return
        if context.in_macro:
            raise self._error(node, "a macro inside a macro: its cost would be the product of both lists")
        self._check_variables(node)
        self._walk_range(node.over, context, Use.REPEATED if context.use is Use.REPEATED else Use.LOOPED)
        self._walk(node.start, context)
        for child in node.body:
            self._walk(child, _Context(Use.REPEATED, bound, in_macro=True))

    def _walk_range(self, node: Node, context: _Context, use: Use) -> None:
        """What a macro goes over: something whose length can be bounded before the library sees it."""
        function = node.function if isinstance(node, Call) else "." if isinstance(node, Select) else ""
        if self.path_of(node, context.bound) or isinstance(node, Loop):
            self._walk(node, replace(context, use=use))
        elif isinstance(node, ListLiteral | MapLiteral | Constant):
            self._walk(node, context)
        elif function in _PASSES_LISTS or function == "_?_:_":
            self._check_optionals(node)
            for index, child in enumerate(children(node)):
                if function == "_?_:_" and index == 0:
                    self._walk(child, context)
                else:
                    self._walk_range(child, context, use)
        elif function in _READS_FIELDS:
            self._walk_field(node, context)
        elif isinstance(node, Call) and function == "get":
            direct = self.path_of(node.arguments[0], context.bound) and isinstance(node.arguments[1], Constant)
            self._walk(node, replace(context, use=use if direct else Use.REPEATED))
            self._walk_range(node.arguments[2], context, use)
        else:
            self._walk_split(node, context)

    def _walk_field(self, node: Node, context: _Context) -> None:
        """A field of something computed: every list in that may be the one that the macro goes over."""
        self._check_optionals(node)
        above, *keys = children(node)
        self._walk_range(above, context, Use.REPEATED)
        for key in keys:
            self._walk(key, context)

    def _walk_split(self, node: Node, context: _Context) -> None:
        if not (isinstance(node, Call) and node.function == "split"):
            raise self._error(node, "a macro can only go over a list that has a name, not over a computed one")
        limit = node.arguments[-1]
        most = limit.value if len(node.arguments) == 2 and isinstance(limit, Constant) else None
        if not (isinstance(most, int) and 0 <= most <= MAX_ELEMENTS):
            raise self._error(node, f"split() under a macro needs a limit: text.split(separator, {MAX_ELEMENTS})")
        self._walk(node, context)

    def _check_variables(self, node: Loop) -> None:
        for variable in node.variables:
            taken = (*variables_for(Names(with_steps=True, secrets=True)), *variables_for(self.names))
            if variable in taken:
                raise self._error(
                    node, f"'{variable}' has a meaning of its own: give the macro's variable another name"
                )

    def _check_name(self, node: Name, context: _Context) -> None:
        if node.name not in context.bound and node.name not in TYPE_NAMES:
            known = variables_for(self.names)
            raise self._error(node, f"'{node.name}' cannot be used here{suggest(node.name, known)}")

    def _check_literal(self, node: Node) -> None:
        if isinstance(node, MapLiteral) and node.message:
            raise self._error(node, f"'{node.message}{{}}' cannot be used here: write a map like {{'key': value}}")
        if isinstance(node, Constant) and isinstance(node.value, str) and "\0" in node.value:
            raise self._error(node, "a text with a NUL character")
        self._check_optionals(node)

    def _check_optionals(self, node: Node) -> None:
        misplaced = misplaced_optional(node, self.tree)
        if misplaced is not None:
            raise self._error(misplaced, "an optional has to be unwrapped here, with .orValue(default)")

    def _check_growth(self, node: Call) -> None:
        """Two texts from outside could make one of the size of their product."""
        grown = 1 if node.function == "replace" else 0
        inserted = node.arguments[grown] if len(node.arguments) > grown else Constant(0, "")
        literal = (Constant, ListLiteral)
        if not isinstance(inserted, Constant) and not isinstance(node.target, literal):
            raise self._error(inserted, f"{node.function}() puts in a literal text only, unless the whole is literal")

    def _note_pattern(self, node: Call) -> None:
        pattern = node.arguments[-1]
        if isinstance(pattern, Constant) and isinstance(pattern.value, str):
            self.patterns.append((pattern.value, self.tree.offset(pattern)))

    def _check_path(self, mention: Mention, node: Node) -> None:
        path = mention.path
        root, first = path[0], path[1] if len(path) > 1 else None
        if any(isinstance(segment, str) and "\0" in segment for segment in path):
            raise self._error(node, "a text with a NUL character")
        if root == "event" and first is not None and first not in EVENT_FIELDS:
            raise self._error(node, f"an event has no field '{first}'{suggest(str(first), EVENT_FIELDS)}")
        if root == "steps" and first is not None:
            self._check_step(str(first), str(path[2]) if len(path) > 2 else None, node)
        if root == "env":
            self._check_env(first, node)
        if root == "secrets" and not (isinstance(node, Select) and not node.test and isinstance(node.operand, Name)):
            raise self._error(node, "a secret can only be named: secrets.NAME")

    def _check_step(self, step: str, part: str | None, node: Node) -> None:
        if step not in self.names.steps:
            if step in self.names.all_steps:
                raise self._error(node, f"'{step}' is not an earlier step, so it has no result here")
            raise self._error(node, f"there is no step '{step}'{suggest(step, self.names.steps)}")
        if part is not None and part not in STEP_FIELDS:
            raise self._error(
                node, f"a step's result has no '{part}'{suggest(part, STEP_FIELDS)}, as in .output.{part}"
            )

    def _check_env(self, name: str | int | None, node: Node) -> None:
        if not isinstance(name, str):
            raise self._error(node, "a variable can only be named: env.NAME")
        if name.upper().startswith("HOOKRT_"):
            raise self._error(node, f"env.{name} is hookrt's own and cannot be read; a secret is secrets.NAME")

    def _mentions(self) -> Mentions:
        def named(root: str) -> frozenset[str]:
            return frozenset(str(one.path[1]) for one in self.found if one.path[0] == root and len(one.path) > 1)

        whole = any(one.path == ("steps",) for one in self.found)
        steps = frozenset(self.names.steps) if whole else named("steps")
        return Mentions(steps, named("secrets"), named("env"))

    def _error(self, node: Node, message: str) -> ExpressionError:
        line, column = place_of(self.text, start_of_name(self.text, self.tree.offset(node)))
        return ExpressionError(message, line=line, column=column)


def _below(above: Mention, key: str | int, *, optional: bool, test: bool) -> Mention:
    path = (*above.path, key)
    start = min(above.optional_from, len(path) - 1) if optional or test else above.optional_from
    return Mention(path, Use.PRESENCE if test else above.use, start)


def _is_key(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
