"""How a story is told in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hookrt.cli.demo.story import Chapter, Story
from hookrt.cli.render import Piece, Screen, shorten
from hookrt.cli.request_view import MARKS
from hookrt.cli.wording import adds, milliseconds, state, value_text, why
from hookrt.clock import from_us
from hookrt.matching.router import HookExplanation
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.model.hook import Hook

Actions = Mapping[tuple[str, str], str]
"""The action of every step, by hook and step."""

_INDENT = 18
_OUTCOME_WORDS = {"done": "done", "retry": "failed, to be tried again", "reject": "failed for good"}


def tell(screen: Screen, story: Story, says: str, actions: Actions) -> None:
    """The event, then each hook: why it stays quiet, or its steps with what they gave and what arrived."""
    event = story.event
    screen.line()
    screen.line(("▶ ", "bold cyan"), (event.type, "bold"), f"  {says}" if says else "", (f"  {event.id}", "dim"))
    screen.line(("  in   ", "dim"), value_text(None if event.binary else event.data, screen.width - 7))
    width = max((len(explanation.hook) for explanation in story.explanations), default=0)
    for explanation in story.explanations:
        chapter = story.chapters.get(explanation.hook)
        if chapter is None:
            _tell_quiet(screen, explanation, width)
        else:
            _tell_chapter(screen, chapter, actions, width)
    if not story.chapters:
        screen.line(("  no hook wants it; it is kept all the same", "yellow"))


def tell_later(screen: Screen, hook: str, attempt: Attempt, status: Status) -> None:
    """An attempt that was made after its story had been told."""
    screen.line(("▷ later  ", "cyan"), (hook, "bold"), " ", *_outcome(attempt), f" → {status.value}")


def _tell_quiet(screen: Screen, explanation: HookExplanation, width: int) -> None:
    screen.line(("  ✗ ", "dim"), (f"{explanation.hook:{width}}", "dim"), (f"  {explanation.detail}", "dim"))
    for finding in explanation.findings:
        if not adds(explanation.detail, finding.expression, finding.value, finding.problem):
            continue
        problem = f"  {finding.problem}" if finding.problem else ""
        screen.line((f"{'':{width + 6}}{finding.expression} is {finding.value}{problem}", "dim"))


def _tell_chapter(screen: Screen, chapter: Chapter, actions: Actions, width: int) -> None:
    delivery = chapter.delivery
    reason = f"  {delivery.reason}" if delivery.reason else ""
    if delivery.status is Status.WAITING:
        reason += f"  next attempt at {from_us(delivery.due_us).astimezone():%H:%M:%S}"
    name: Piece = (f"{delivery.hook:{width}}  ", "bold")
    screen.line(("  ✓ ", "green"), name, state(delivery.status.value), (reason, "dim"))
    last = {attempt.step: attempt for attempt in chapter.attempts}
    for attempt in chapter.attempts:
        action = actions.get((delivery.hook, attempt.step), attempt.step)
        step = attempt.step if action == attempt.step else f"{attempt.step} ({action})"
        screen.line(f"      {step:18} ", *_outcome(attempt))
        _tell_attempt(screen, attempt)
        if last[attempt.step] is attempt:
            _tell_result(screen, chapter, attempt)


def _tell_attempt(screen: Screen, attempt: Attempt) -> None:
    for line in attempt.logs:
        _tell_fact(screen, "log", shorten(line, screen.width - _INDENT))
    exchange = attempt.exchange
    if exchange:
        answer = f" → {exchange.status}" if exchange.status is not None else ""
        _tell_fact(screen, "sent", f"{exchange.method} {exchange.url}{answer}")


def _tell_result(screen: Screen, chapter: Chapter, attempt: Attempt) -> None:
    """What came of a step: the output that later steps see, or what arrived at the receiver."""
    result = chapter.delivery.results.get(attempt.step)
    if result is not None and result.output is not None:
        _tell_fact(screen, "output", (value_text(result.output, screen.width - _INDENT), "cyan"))
    for received in chapter.received.get(attempt.step, ()):
        reason: Piece = (f": {received.why}" if received.why else "", "red")
        request: Piece = (f"{received.method} {received.target}", "bold")
        _tell_fact(screen, "received", request, "  ", MARKS[received.trust], reason)
        body = received.body.decode("utf-8", "backslashreplace")
        _tell_fact(screen, "", (shorten(body, screen.width - _INDENT), "cyan"))


def _tell_fact(screen: Screen, label: str, *pieces: Piece) -> None:
    screen.line((f"        {label:9} ", "dim"), *pieces)


def _outcome(attempt: Attempt) -> list[Piece]:
    shown = {"reason": attempt.reason, "message": attempt.message}
    word = _OUTCOME_WORDS.get(attempt.outcome, attempt.outcome)
    text = f"  {why(shown)}" if why(shown) else ""
    return [state(attempt.outcome, word), (f" in {milliseconds(attempt.duration_us / 1000)}", "dim"), text]


def actions_of(hooks: Sequence[Hook]) -> Actions:
    """The action of every step, by hook and step."""
    return {(hook.name, step.id): step.action for hook in hooks for step in hook.steps}
