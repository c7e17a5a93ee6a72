"""Files of other programs, known by their shape, with the command that translates them."""

from __future__ import annotations

import shlex

from hookrt.config.nodes import ListNode, MapNode, Node
from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import SourceText, Span

_ADNANH = {"id", "execute-command", "trigger-rule", "pass-arguments-to-command"}
_LOGTO = {"signingkey", "config"}


def report_foreign(root: Node, log: ProblemLog) -> bool:
    """Whether a file is a list of hooks, as other programs have them; reported when it is one."""
    if not isinstance(root, ListNode):
        return False
    keys = {key.lower() for item in root.items if isinstance(item, MapNode) for key in item.entries}
    if keys >= _LOGTO:
        program, command = "that of Logto's API", "logto"
    elif keys & _ADNANH:
        program, command = "that of adnanh/webhook", "adnanh"
    else:
        return False
    name = root.span.source.name
    hint = f"`hookrt import {command} {shlex.quote(name)} -o FILE` makes a hooks.yaml of such a file"
    at = Span(SourceText(name), root.span.line, root.span.column)  # the line may hold a secret
    log.error(at, f"a list of hooks is another format: {program}", hint)
    return True
