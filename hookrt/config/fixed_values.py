"""Values that are settled when the file is read: `${{ }}` there sees the environment and the secrets, no event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hookrt.config.expressions import compile_setting, report_expression
from hookrt.config.nodes import MapNode, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.secret_check import SecretCheck
from hookrt.config.settings_tree import BROKEN, Leaf, SettingsTree, read_scalar, read_tree
from hookrt.config.text_position import locate
from hookrt.errors import ExpressionError, SecretMissing
from hookrt.matching.names import Names
from hookrt.matching.template import Hole, Template
from hookrt.model.event import Event
from hookrt.model.hook import Scope

_NO_EVENT = Event(id="none", type="none", source="none", time=datetime(1970, 1, 1, tzinfo=UTC))
_KNOWN = ("env", "secrets")


@dataclass(frozen=True, slots=True)
class FixedValues:
    """Reads settings of `destinations:`, `sources:` and `service:`. Without `secrets` an expression may name none;
    `names` bring the functions of plugins.
    """

    log: ProblemLog
    env: Mapping[str, str]
    secrets: SecretCheck | None
    names: Names = field(default_factory=Names)

    def read(self, node: MapNode, kept: Collection[str] = ()) -> SettingsTree:
        """The settings with every expression replaced by its value; what has none is broken, and reported.

        `kept` are settings that are expressions themselves, for later: they stay as they are.
        """
        return read_tree(
            node, lambda path, text: read_scalar(text, self.log) if path[0] in kept else self._leaf(text), self.log
        )

    def _leaf(self, node: TextNode) -> Leaf:
        if "${{" not in node.text:
            return read_scalar(node, self.log)
        template = compile_setting(node, replace(self.names, secrets=self.secrets is not None), self.log)
        if template is None or not self._is_settled(node, template) or not self._has_secrets(node, template):
            return BROKEN
        try:
            return Leaf(template.render(self._scope()))
        except ExpressionError as error:
            report_expression(node, error, self.log)
        except SecretMissing as error:
            self.log.error(node, str(error))
        return BROKEN

    def _scope(self) -> Scope:
        lookup = self.secrets.lookup.require if self.secrets else None
        return Scope(event=_NO_EVENT, hook="", env=self.env, secrets=lookup)

    def _is_settled(self, node: TextNode, template: Template) -> bool:
        """Whether it names nothing that only exists once there is an event."""
        settled = True
        for hole in template.pieces:
            roots = [str(mention.path[0]) for mention in hole.program.paths] if isinstance(hole, Hole) else []
            unknown = next((root for root in roots if root not in _KNOWN), None)
            if unknown is not None and isinstance(hole, Hole):
                span = locate(node, hole.line, hole.column)
                self.log.error(span, f"`{unknown}` is not known here: only `env` and `secrets` are")
                settled = False
        return settled

    def _has_secrets(self, node: TextNode, template: Template) -> bool:
        check = self.secrets
        missing = [name for name in sorted(template.mentions.secrets) if check and not check.check(name, node.span)]
        return not missing
