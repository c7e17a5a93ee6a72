"""`/v1/config`: whether what runs is what the files say, and if not what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hookrt.model.problem import Problem
from hookrt.runtime.changes import Changes
from hookrt.runtime.reload_report import ReloadReport
from hookrt.web.api.query import Runtime


class ProblemShown(BaseModel):
    """One problem of the files; line and column count from 1, both 0 for a file as a whole."""

    file: str
    line: int
    column: int
    severity: str
    message: str
    hint: str | None
    line_text: str | None


class ChangesShown(BaseModel):
    """The names of what was added, removed and changed."""

    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]


class ReloadShown(BaseModel):
    """One reading of the files while running; a rejected one changed nothing."""

    at: datetime
    accepted: bool
    problems: list[ProblemShown]
    hooks: ChangesShown
    destinations: ChangesShown
    sources: ChangesShown
    needs_restart: Sequence[str] = Field(description="Settings of `service:` that only a restart changes")


class ConfigShown(BaseModel):
    """The configuration in use, and what became of the latest reading of its files."""

    current: bool = Field(description="Whether what is in use is what the files said when they were read last")
    files: list[str]
    hooks: int
    last_reload: ReloadShown | None = Field(description="null before the first one")


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["service"])
    router.add_api_route("/config", get_config, methods=["GET"], summary="The configuration in use")
    return router


async def get_config(runtime: Runtime) -> ConfigShown:
    """Whether the files are in use as they are, and every problem where they were rejected."""
    found, last = runtime.configuration, runtime.last_reload
    return ConfigShown(
        current=last is None or last.accepted,
        files=[str(file) for file in found.files] if found else [],
        hooks=len(runtime.router.hooks),
        last_reload=_show(last) if last else None,
    )


def _show(reload: ReloadReport) -> ReloadShown:
    return ReloadShown(
        at=reload.at,
        accepted=reload.accepted,
        problems=[_show_problem(problem) for problem in reload.problems],
        hooks=_show_changes(reload.hooks),
        destinations=_show_changes(reload.destinations),
        sources=_show_changes(reload.sources),
        needs_restart=reload.needs_restart,
    )


def _show_changes(changes: Changes) -> ChangesShown:
    return ChangesShown(added=changes.added, removed=changes.removed, changed=changes.changed)


def _show_problem(problem: Problem) -> ProblemShown:
    place = problem.place
    return ProblemShown(
        file=place.file,
        line=place.line,
        column=place.column,
        severity=problem.severity.value,
        message=problem.message,
        hint=problem.hint,
        line_text=problem.line_text,
    )
