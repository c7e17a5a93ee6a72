"""`service.plugins`, read before everything else: what it denies must not be imported, and the rest needs plugins."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hookrt.config.environment import merge, read_variables
from hookrt.config.expressions import refuse_expression
from hookrt.config.nodes import ListNode, MapNode, Node, TextNode
from hookrt.config.problem_log import ProblemLog, TooManyProblems
from hookrt.config.sections import Sections, read_dict, read_sections, yaml_files
from hookrt.config.source_text import Span
from hookrt.config.suggest import shorten
from hookrt.plugin.registry import Registry
from hookrt.plugin.rules import PluginRule, PluginRules

_VARIABLES = "HOOKRT_PLUGINS"
_KEY = b"plugins"


def read_plugin_rules(path: Path, env: Mapping[str, str]) -> PluginRules | None:
    """The rules of a hooks file, or of a directory of them, and of the variables; None where there are none.

    Nothing is reported: `load` reads the same again, and says what is wrong with it.
    """
    if not any(name.startswith(_VARIABLES) for name in env) and not _may_have_rules(path):
        return None
    log, sections = ProblemLog(), Sections(path)
    with suppress(TooManyProblems):
        sections = read_sections(path, log)
    return _rules_in(sections, env, log)


def plugin_rules_of(settings: Mapping[str, Any], env: Mapping[str, str]) -> PluginRules | None:
    """The same for what a file would hold, as Python values; raises UsageError for values that no file could hold."""
    log = ProblemLog()
    with suppress(TooManyProblems):
        return _rules_in(read_dict(settings, Path(), log), env, log)
    return None


def _rules_in(sections: Sections, env: Mapping[str, str], log: ProblemLog) -> PluginRules | None:
    entry = sections.single.get("service")
    written = entry.value if entry is not None and isinstance(entry.value, MapNode) else MapNode(Span.whole("service"))
    node = merge(written, read_variables(env, Registry(), log)).get("plugins")
    return _rules(node) if isinstance(node, MapNode) else None


def check_plugin_rules(service: MapNode, registry: Registry, log: ProblemLog) -> None:
    """Report names that mean no installed plugin, and expressions, which there is nobody to evaluate yet."""
    node = service.get("plugins")
    known = {name for plugin in registry.plugins for name in (plugin.distribution, plugin.entry_point)}
    for key in ("allow", "deny"):
        for text in _texts(node.get(key)) if isinstance(node, MapNode) else ():
            if refuse_expression(text, f"`plugins.{key}`", log, "write the names out"):
                continue
            rule = PluginRule(text.text, "")
            if known and not any(rule.names(plugin.distribution, plugin.entry_point) for plugin in registry.plugins):
                close = difflib.get_close_matches(text.text, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "`hookrt plugins list` shows what is installed"
                log.warn(text, f"no installed plugin is called {shorten(text.text)}", hint)


def _may_have_rules(path: Path) -> bool:
    """Whether reading the files properly is worth its time."""
    try:
        files = yaml_files(path) if path.is_dir() else [path]
        return any(_KEY in file.read_bytes() for file in files)
    except (OSError, ValueError):
        return False


def _rules(node: MapNode) -> PluginRules:
    allow, deny = node.get("allow"), node.get("deny")
    allowed = None if allow is None else [_rule(text) for text in _texts(allow)]
    where = str(allow.span.place) if allow is not None else ""
    return PluginRules(allowed, [_rule(text) for text in _texts(deny)], where)


def _rule(text: TextNode) -> PluginRule:
    return PluginRule(text.text, str(text.span.place))


def _texts(node: Node | None) -> Iterator[TextNode]:
    items = node.items if isinstance(node, ListNode) else [node]
    yield from (item for item in items if isinstance(item, TextNode))
