"""`POST /v1/decisions`: the hooks of `mode: decide` are asked, and what they say is the answer."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from hookrt.errors import UsageError
from hookrt.model.decision import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, Decision, HookDecision
from hookrt.model.event import EventDraft, encode_data
from hookrt.web.api.query import Runtime
from hookrt.web.api.shapes import Shape
from hookrt.web.ingest import SOURCE
from hookrt.web.problem import ProblemDocument, Refusal

_STOPPING = ProblemDocument(
    HTTPStatus.SERVICE_UNAVAILABLE, "stopping", "the service is stopping: try again", headers={"retry-after": "5"}
)


class DecisionAsked(BaseModel):
    """What is asked: an event that has not happened yet. Nothing but its decision comes of it."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(min_length=1, max_length=255, examples=["PreRegister"])
    data: Any = None
    source: str | None = Field(default=None, description="`http` where none is given.")
    subject: str | None = None
    timeout: float = Field(
        default=DEFAULT_TIMEOUT.total_seconds(),
        gt=0,
        le=LONGEST_TIMEOUT.total_seconds(),
        description="Seconds after which the answer is there, whatever the hooks do.",
    )


class HookDecisionShown(Shape):
    """What one hook said."""

    hook: str
    decision: str = Field(description="allow or deny")
    by: str = Field(description="answer, or on_error where the hook could not answer")
    duration_ms: float
    reason: str | None = None
    cause: str | None = Field(default=None, description="Why it could not: deadline, condition, bad-answer, ...")
    message: str | None = Field(default=None, description="The same in a sentence.")
    delivery: str | None = Field(default=None, description="The record, under /v1/deliveries.")


class DecisionShown(Shape):
    """Whether to go on, and with which data."""

    id: str = Field(description="The id of the recorded event.")
    decision: str = Field(description="allow or deny")
    reason: str | None = Field(default=None, description="That of the hook that denied.")
    data: Any = Field(default=None, description="As the hooks' patches left it.")
    hooks: list[HookDecisionShown] = Field(description="Those that took part, in order; none is asked after a deny.")


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["decisions"])
    router.add_api_route("/decisions", decide, methods=["POST"], summary="Ask before something is done")
    return router


async def decide(asked: DecisionAsked, runtime: Runtime) -> DecisionShown:
    """What the hooks of `mode: decide` say, in the order of their file; the first deny ends it, and each sees the data
    as those before it left it. A deny is an answer like any other: its status is 200.
    """
    draft = EventDraft(asked.type, encode_data(asked.data), source=asked.source, subject=asked.subject)
    try:
        decision = await runtime.decisions.decide_foreign(draft, asked.timeout, SOURCE)
    except UsageError:  # the timeout is one, so that it can only be this
        raise Refusal(_STOPPING) from None
    return show_decision(decision)


def show_decision(decision: Decision) -> DecisionShown:
    """The decision as it is shown."""
    return DecisionShown.model_construct(
        id=decision.id,
        decision=decision.decision,
        reason=decision.reason,
        data=decision.data,
        hooks=[_show_said(said) for said in decision.hooks],
    )


def _show_said(said: HookDecision) -> HookDecisionShown:
    return HookDecisionShown(
        hook=said.hook,
        decision=said.decision,
        by=said.by,
        duration_ms=said.duration / timedelta(milliseconds=1),
        reason=said.reason,
        cause=said.cause,
        message=said.message,
        delivery=said.delivery,
    )
