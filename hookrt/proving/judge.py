"""What a test expects beside what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hookrt.delivery.rehearse import show_settings
from hookrt.delivery.trial import TrialResult, TrialStep
from hookrt.egress.stubbed import StubbedRequest
from hookrt.model.hook_test import Expected, HookTest, StepExample, Written
from hookrt.proving.comparison import ABSENT, differences
from hookrt.proving.results import Mismatch
from hookrt.proving.stage import Stage
from hookrt.proving.stand_ins import NOT_RUN_HERE, WatchedSettings
from hookrt.secrets.masking import mask_within


@dataclass(frozen=True, slots=True)
class Played:
    """A test that was played to its end: what came of the steps, what they sent, and what they were run with."""

    test: HookTest
    result: TrialResult
    stage: Stage
    settings: Mapping[str, WatchedSettings]
    mask: Callable[[str], str]


def judge(played: Played) -> list[Mismatch]:
    """Everything that is not as expected; of a step that cannot be run in a test only that."""
    refused = [
        Mismatch(one.attempt.message or "", _written(played.test, one.step), compared=False)
        for one in played.result.steps
        if one.attempt is not None and one.attempt.reason == NOT_RUN_HERE
    ]
    if refused:
        return refused
    steps = {step.step: step for step in played.result.steps}
    found = [
        mismatch for name, example in played.test.steps.items() for mismatch in _of_step(steps[name], example, played)
    ]
    return found + list(_of_delivery(played, told=bool(found)))


def _of_delivery(played: Played, *, told: bool) -> Iterator[Mismatch]:
    test, failed = played.test, played.result.failed
    dead = played.stage.dead
    status = "dead" if dead is not None else "succeeded"
    why = _why(failed) if failed is not None else None
    if test.status is not None:
        yield from mismatches("status", test.status, status, why)
    elif dead is not None and failed is not None and not told and not _expects_failure(test):
        what = f"the delivery is dead, since the step {failed.step!r} failed"
        yield Mismatch(what, _written(test, failed.step), why=why, compared=False)
    if test.reason is not None:
        yield from mismatches("reason", test.reason, ABSENT if dead is None else dead, why)


def _expects_failure(test: HookTest) -> bool:
    if test.reason is not None:
        return True
    said = [example.expected for example in test.steps.values()]
    return any(
        "reason" in one
        or ("status" in one and one["status"].value == "failed")
        or ("outcome" in one and one["outcome"].value != "done")
        for one in said
    )


def _of_step(step: TrialStep, example: StepExample, played: Played) -> Iterator[Mismatch]:
    why = _why(step)
    for key, expected in example.expected.items():
        actual = _actual(key, expected, step, played)
        yield from mismatches(f"steps.{step.step}.{key}", expected, actual, why)


def _actual(key: str, expected: Expected, step: TrialStep, played: Played) -> Any:
    """What a step gave, in the form in which it is expected."""
    result, attempt = step.result, step.attempt
    if key == "status":
        return "not-run" if result is None else result.status.value
    if key == "attempts":
        return step.attempts
    if key == "emits":
        return list(step.emitted)
    if key == "request":
        return _requests(expected.value, step.step, played)
    if key == "settings":
        rendered = played.settings[step.step].rendered
        return ABSENT if rendered is None else show_settings(rendered, played.mask)
    if key == "output":
        succeeded = result is not None and result.error is None and attempt is not None
        return mask_within(result.output, played.mask) if succeeded and result is not None else ABSENT
    return ABSENT if attempt is None else getattr(attempt, key) or ABSENT


def _requests(expected: Any, step: str, played: Played) -> Any:
    """The last request of a step, or all of them where a list of them is expected."""
    sent = played.stage.requests[step]
    if isinstance(expected, list):
        wanted = [*expected, *({} for _ in sent[len(expected) :])]
        return [_shown(request, one, played.mask) for request, one in zip(sent, wanted, strict=False)]
    return _shown(sent[-1], expected, played.mask) if sent else ABSENT


def _shown(request: StubbedRequest, expected: Any, mask: Callable[[str], str]) -> dict[str, Any]:
    """A request as a test says it: headers by their names in any case, a body as JSON where it is some."""
    said = expected if isinstance(expected, dict) else {}
    method = said.get("method")
    same = isinstance(method, str) and method.upper() == request.method
    headers = {name: mask(value) for name, value in request.headers.items()}
    return {
        "method": method if same else request.method,
        "url": mask(request.url),
        "path": mask(urlsplit(request.url).path),
        "headers": _as_named(headers, said.get("headers")),
        "body": _body_of(request.body, said.get("body"), mask),
    }


def _as_named(headers: Mapping[str, str], expected: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(headers)
    for name, value in expected.items() if isinstance(expected, dict) else ():
        text = headers.get(name.lower())
        if text is not None:
            written = not isinstance(value, str) and msgspec.json.encode(value).decode() == text
            found[name] = value if written else text
    return found


def _body_of(body: bytes | None, expected: Any, mask: Callable[[str], str]) -> Any:
    if body is None:
        return ABSENT
    text = body.decode("utf-8", "replace")
    if isinstance(expected, str):
        return mask(text)
    try:
        return mask_within(msgspec.json.decode(body), mask)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return mask(text)


def mismatches(subject: str, expected: Expected, actual: Any, why: str | None = None) -> Iterator[Mismatch]:
    """Every part of a value that is not as expected, each with its place."""
    for difference in differences(expected, actual):
        whole = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in difference.path)
        written = expected.written(difference.path)
        yield Mismatch(subject + whole, written, difference.expected, difference.actual, why)


def _why(step: TrialStep) -> str | None:
    """What a step says of its failure, or why it was skipped."""
    if step.result is not None and step.result.error is not None:
        return f"{step.step}: {step.result.error}"
    return step.note


def _written(test: HookTest, step: str) -> Written:
    return test.steps[step].written if step in test.steps else test.written
