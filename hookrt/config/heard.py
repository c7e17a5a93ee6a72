"""What an `on` will hear of what sources say that they send: warnings for types that nobody sends, or that it misses.

What a source publishes are types, and patterns where the last part is somebody else's (`pull_request.*`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from hookrt.config.context import LoadContext
from hookrt.config.nodes import TextNode
from hookrt.config.suggest import closest, did_you_mean, shorten
from hookrt.matching.patterns import is_literal, matches
from hookrt.model.own_events import OWN_EVENTS, OWN_SOURCE, is_own

_NEAR_MISS = 0.85


def overlap(one: str, other: str) -> bool:
    """Whether there can be a type that both of two types or patterns mean."""
    for mine, yours in zip(one.split("."), other.split("."), strict=False):
        if "**" in (mine, yours):
            return True
        if mine != yours and "*" not in (mine, yours):
            return False
    return one.count(".") == other.count(".")


def warn_of_unsent(node: TextNode, source: str | None, context: LoadContext) -> None:
    """Warn of a type that the hook's source never sends, or that is nearly one that a source sends."""
    if is_own(node.text) or source == OWN_SOURCE:
        _warn_of_unknown_own(node, source, context)
    elif source is None:
        near = context.near(node.text, _nearest) if is_literal(node.text) else None
        if near:
            context.log.warn(node, f"no declared source sends {shorten(node.text)}", f"did you mean {near!r}?")
    elif (types := context.source_types.get(source)) is not None and not _is_sent(node.text, types):
        near = _nearest(node.text, types, 0.6) if is_literal(node.text) else None
        hint = f"did you mean {near!r}?" if near else did_you_mean(node.text, types)
        context.log.warn(node, f"the source {source!r} sends nothing like {shorten(node.text)}", hint)


def warn_of_missed(nodes: Sequence[TextNode], source: str | None, context: LoadContext) -> None:
    """Warn of published types that only lie deeper than a pattern with one `*` at its end, and that no other of the
    hook's patterns means.
    """
    short = [node for node in nodes if node.text.endswith("*") and not node.text.endswith("**")]
    if not short:
        return
    patterns = [node.text for node in nodes]
    unheard = [one for one in context.sent_by(source) if not _is_sent(one, patterns)]
    for node in short:
        deeper = sorted(one for one in unheard if _lies_deeper(one, node.text))
        if deeper:
            more = f" and {len(deeper) - 1} more" if len(deeper) > 1 else ""
            hint = f"`*` is one segment: write {shorten(node.text + '*')} for any depth, or list the types"
            context.log.warn(node, f"{shorten(node.text)} misses {shorten(deeper[0])}{more}", hint)


def _is_sent(pattern: str, types: Iterable[str]) -> bool:
    return any(overlap(pattern, one) for one in types)


def _nearest(event_type: str, types: Collection[str], cutoff: float = _NEAR_MISS) -> str | None:
    """The published type that this one is nearly; None when it is published itself, or is like none."""
    if _is_sent(event_type, types):
        return None
    if below := [one for one in types if one.startswith(f"{event_type}.")]:
        flat = all(one.count(".") == event_type.count(".") + 1 for one in below)
        return f"{event_type}.*" if flat else f"{event_type}.**"
    return closest(event_type, [filled for one in types for filled in (one, _filled(one, event_type))], cutoff)


def _filled(pattern: str, event_type: str) -> str:
    """A published pattern with the type's own segments in the places that are free."""
    segments, own = pattern.split("."), event_type.split(".")
    if len(segments) != len(own):
        return pattern
    return ".".join(mine if one == "*" else one for one, mine in zip(segments, own, strict=True))


def _lies_deeper(event_type: str, pattern: str) -> bool:
    segments, length = event_type.split("."), pattern.count(".") + 1
    return len(segments) > length and overlap(pattern, ".".join(segments[:length]))


def _warn_of_unknown_own(node: TextNode, source: str | None, context: LoadContext) -> None:
    """Warn of what hookrt itself never sends, or not as this source."""
    if source not in (None, OWN_SOURCE):
        message = f"only hookrt itself sends {shorten(node.text)}, not {shorten(source)}"
        context.log.warn(node, message, f"write `from: {OWN_SOURCE}`, or leave it out")
    elif not any(matches(node.text, one) for one in OWN_EVENTS):
        hint = did_you_mean(node.text, OWN_EVENTS)
        context.log.warn(node, f"hookrt itself sends nothing like {shorten(node.text)}", hint)
