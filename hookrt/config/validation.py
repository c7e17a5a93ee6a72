"""Settings against their pydantic model, each of its errors brought back to the YAML node that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import ValidationError

from hookrt.config.model_errors import Finding, Subject, explain_error, is_type_error
from hookrt.config.nodes import Path, key_at, node_at, real_path
from hookrt.config.problem_log import ProblemLog
from hookrt.config.settings_tree import SettingsTree, without
from hookrt.config.source_text import Span
from hookrt.plugin.settings import KnownDestinations, Settings

ModelT = TypeVar("ModelT", bound=Settings)


@dataclass(frozen=True, slots=True)
class Target:
    """What is validated, for messages: `owner` as in `webhook`, and the key that holds it, where what is missing
    is reported. `also` are keys that the model does not know, since they have been dealt with."""

    owner: str
    at: Span
    context: KnownDestinations | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked(Generic[ModelT]):
    """The model, None where it cannot be made; `failed` when that is the writer's fault (and reported).

    Not failed and no model: something in it is not known. Where the tree has templates, the model holds samples in
    their place.
    """

    model: ModelT | None
    failed: bool


def validate(model: type[ModelT], tree: SettingsTree, target: Target, log: ProblemLog) -> Checked[ModelT]:
    """Validate settings as far as they are known.

    Errors at or below a value that is not known yet are dropped, unless its static type already contradicts.
    """
    try:
        made, errors = _try(model, tree.sample(), target)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit: a validator must not end the command without a word
        log.error(target.at, f"{target.owner}: its settings model failed with {type(error).__name__}: {error}")
        return Checked(None, failed=True)
    if made is not None:
        return Checked(None if tree.broken else made, failed=False)
    findings = [Finding(real_path(tree.node, tuple(error["loc"])), error) for error in errors]
    certain = [finding for finding in findings if finding.unknown_key or not _is_open(tree, finding)]
    certain += _contradictions(tree, findings)
    told = _deepest(certain, findings)
    for finding in told:
        _report(model, tree, target, finding, log)
    if told:
        return Checked(None, failed=True)
    unknown = frozenset(finding.path for finding in findings)
    made, _ = _try(model, without(tree.sample(), unknown), target)
    return Checked(None if tree.broken else made, failed=False)


def _is_open(tree: SettingsTree, finding: Finding) -> bool:
    """Whether an error says nothing: the value there is not known, or a part of what a model judges as a whole."""
    if tree.is_open(finding.path):
        return True
    depth = len(finding.path)
    judged = finding.error["type"] in ("value_error", "assertion_error")
    return judged and any(path[:depth] == finding.path for path in tree.broken)


def _try(model: type[ModelT], value: Any, target: Target) -> tuple[ModelT | None, list[Any]]:
    try:
        return model.model_validate_json(msgspec.json.encode(value), context=target.context), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _contradictions(tree: SettingsTree, findings: Iterable[Finding]) -> list[Finding]:
    """For each template whose static type is known: its error, if every error there is about its type."""
    found: dict[Path, list[Finding]] = {}
    for finding in findings:
        template = None if finding.unknown_key else tree.templates.get(finding.path)
        if template is not None and template.static_type is not None:
            found.setdefault(finding.path, []).append(finding)
    return [same[0] for same in found.values() if all(is_type_error(one.error["type"]) for one in same)]


def _deepest(certain: list[Finding], findings: list[Finding]) -> list[Finding]:
    """Without errors that only follow from one below them: of a union, the branch that fits best is spoken of.

    Several type errors of one value become one finding. `findings` are all, also those that were dropped.
    """
    kept: dict[tuple[Path, str], Finding] = {}
    below = {finding.path[:length] for finding in findings for length in range(len(finding.path))}
    for finding in certain:
        if is_type_error(finding.error["type"]):
            if finding.path in below:
                continue
            key = (finding.path, "type")
        elif finding.error["type"] == "too_short" and finding.path in below:
            continue
        else:
            key = (finding.path, str(finding.error["loc"]) + finding.error["type"])
        known = kept.get(key)
        kept[key] = known.joined(finding) if known else finding
    return list(kept.values())


def _report(model: type[Settings], tree: SettingsTree, target: Target, finding: Finding, log: ProblemLog) -> None:
    template = tree.templates.get(finding.path)
    subject = Subject(
        owner=target.owner,
        node=node_at(tree.node, finding.path),
        model=model,
        static_type=template.static_type if template else None,
        destinations=(target.context.names or ()) if target.context else (),
        also=target.also,
    )
    message, hint = explain_error(finding, subject)
    log.error(_place(tree, target, finding), message, hint)


def _place(tree: SettingsTree, target: Target, finding: Finding) -> Span:
    """Where to show an error: at the key for what is missing in a mapping or does not belong there."""
    loc: Path = tuple(finding.error["loc"])
    if finding.error["type"] == "missing":
        key = key_at(tree.node, finding.path)
        return key.span if key else node_at(tree.node, finding.path).span if finding.path else target.at
    if loc and loc[-1] == "[key]":
        loc = loc[:-1]
        return (key_at(tree.node, real_path(tree.node, loc)) or tree.node).span
    if finding.error["type"] == "extra_forbidden":
        key = key_at(tree.node, finding.path)
        return key.span if key else target.at
    return node_at(tree.node, finding.path).span if finding.path else target.at
