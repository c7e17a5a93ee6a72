"""`/v1/hooks/{name}/test`, `/v1/samples`: hooks tried out, and what with."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hookrt.delivery.trial import TrialResult, TrialStep
from hookrt.model.attempt import Attempt
from hookrt.model.event import encode_data
from hookrt.runtime.hook_trials import HookTrial, TrialOrder
from hookrt.web.api.query import Runtime
from hookrt.web.api.shapes import Listed, ResponseShown
from hookrt.web.api.show import show_attempt, show_event
from hookrt.web.api.trial_shapes import SampleName, SampleShown, TrialAsked, TrialShown, TrialStepShown
from hookrt.web.problem import CONTENT_TYPE, ProblemDocument, Refusal

_RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {
        "description": "It was tested, and failed: the problem document has all members of the other answer. Its type "
        "is `endpoint-responded-with-error` where there was an answer, else `test-failed`",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter()
    router.add_api_route(
        "/hooks/{name}/test",
        try_hook,
        methods=["POST"],
        responses=_RESPONSES,
        tags=["hooks"],
        summary="Run it once for a made-up event",
    )
    router.add_api_route("/samples", list_samples, methods=["GET"], tags=["events"], summary="List samples of events")
    router.add_api_route("/samples/{type:path}", get_sample, methods=["GET"], tags=["events"], summary="One sample")
    return router


async def try_hook(name: str, runtime: Runtime, asked: TrialAsked | None = None) -> TrialShown:
    """The hook's steps, really run once each for an event that is made up and marked as a test.

    Also of a hook that is disabled, and for an event that it does not want. The request is signed as always, and has
    the header `hookrt-test: true`. Nothing of it is stored, counted or tried again, and a breaker does not hinder it.
    """
    asked = asked or TrialAsked()
    content = encode_data(asked.data) if "data" in asked.model_fields_set else None
    shown = _show(await runtime.control.trials.run(name, TrialOrder(asked.type, content)))
    if shown.succeeded:
        return shown
    kind = "test-failed" if shown.response is None else "endpoint-responded-with-error"
    why = ": ".join(part for part in (shown.reason, shown.message) if part)
    raise Refusal(ProblemDocument(422, kind, f"the test of {name} failed: {why}", shown.model_dump(mode="json")))


async def list_samples(runtime: Runtime) -> Listed[SampleName]:
    """The types of events of which the installed sources know what they look like."""
    found = runtime.control.trials.samples.all()
    return Listed(items=[SampleName(type=sample.type, source=sample.plugin) for sample in found])


async def get_sample(type: str, runtime: Runtime) -> SampleShown:
    """A realistic event of this type, as if it happened now."""
    found = runtime.control.trials.samples.find(type)
    return SampleShown(type=found.type, source=found.plugin, subject=found.subject, data=found.data)


def _show(trial: HookTrial) -> TrialShown:
    result, explanation = trial.result, trial.explanation
    telling, failed = result.telling, result.failed
    return TrialShown(
        hook=result.hook,
        succeeded=failed is None,
        reason=telling.reason if failed is not None and telling is not None else None,
        message=telling.message if failed is not None and telling is not None else None,
        response=_response_of(telling),
        event=show_event(result.event),
        sample=None if trial.sample is None else trial.sample.plugin or "generic",
        fires=explanation.fires,
        why_not=None if explanation.fires else explanation.detail,
        steps=_show_steps(result),
    )


def _response_of(attempt: Attempt | None) -> ResponseShown | None:
    return None if attempt is None else show_attempt(attempt).response


def _show_steps(result: TrialResult) -> list[TrialStepShown]:
    return [_show_step(step) for step in result.steps]


def _show_step(step: TrialStep) -> TrialStepShown:
    return TrialStepShown(
        id=step.step,
        action=step.action,
        status="not-run" if step.result is None else step.result.status.value,
        error=None if step.result is None else step.result.error or step.note,
        emitted=list(step.emitted),
        attempt=None if step.attempt is None else show_attempt(step.attempt),
    )
