"""What a hook would send for an event, without sending it: its steps rendered, nothing run that has an effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hookrt.clock import duration_us, from_us
from hookrt.delivery.attempt_log import AttemptLog
from hookrt.delivery.ports import Ports
from hookrt.errors import HookrtError
from hookrt.model.attempt import Exchange
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope, SigningSecret, Step
from hookrt.model.ids import message_id
from hookrt.model.outcome import Outcome
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.protocols import Http, HttpError, Log
from hookrt.secrets.masking import mask_within

Unsent = Callable[[tuple[str, ...], float], Http]
"""Makes an Http that records requests and sends none, for these trusted origins and seconds."""


@dataclass(frozen=True, slots=True)
class RehearsedStep:
    """What a step would do. Secrets are masked.

    `request` is what a step that only sends would send; of other steps `settings` are what they would be run with.
    `note` says why there is neither, or what is wrong.
    """

    step: str
    action: str
    request: Exchange | None = None
    settings: Any = None
    note: str | None = None


class Rehearsal:
    """Renders the steps of a hook for an event."""

    def __init__(self, ports: Ports, unsent: Unsent) -> None:
        self._ports = ports
        self._unsent = unsent

    async def rehearse(self, event: Event, hook: Hook) -> list[RehearsedStep]:
        """Every step in order. What an earlier step gives is not known, since none is run."""
        return [await self._step(event, hook, step, first=step is hook.steps[0]) for step in hook.steps]

    async def _step(self, event: Event, hook: Hook, step: Step, *, first: bool) -> RehearsedStep:
        scope = Scope(event, hook.name, self._ports.env, {}, self._ports.secret)
        action = self._ports.actions.get(step.action)
        if action is None:
            return RehearsedStep(step.id, step.action, note=f"the action {step.action!r} is not installed")
        try:
            if step.when is not None and not step.when.holds(Scope(event, hook.name, self._ports.env)):
                return RehearsedStep(step.id, step.action, note="its `when` is false: it would be skipped")
            settings = step.settings.render(scope)
        except HookrtError as error:
            return RehearsedStep(step.id, step.action, note=self._why(error, first=first))
        if not type(action).only_sends:
            return RehearsedStep(step.id, step.action, settings=show_settings(settings, self._ports.mask))
        return await self._request(action, self._call(event, hook, step, settings))

    async def _request(self, action: Action[Any], call: ActionCall[Any]) -> RehearsedStep:
        note = None
        try:
            outcome = await action.run(call)
            note = _text_of(outcome)
        except HttpError as error:
            note = f"{error.reason}: {error.message}"
        except FAULTS as error:  # a mistake of the action, which the real attempt would name as its own, too
            note = f"{type(error).__name__}: {error}"
        request = call.http.exchange
        shown = None if request is not None else self._ports.mask(note)
        return RehearsedStep(call.step, action.name, request=request, note=shown)

    def _call(self, event: Event, hook: Hook, step: Step, settings: Any) -> ActionCall[Any]:
        now_us = self._ports.clock.now_us()
        return ActionCall(
            settings=settings,
            event=event.fresh(),
            hook=hook.name,
            step=step.id,
            attempt=1,
            message_id=message_id(event.source, event.id, hook.name, step.id),
            started=from_us(now_us),
            deadline=from_us(now_us + duration_us(step.timeout)),
            log=AttemptLog(SilentLog(), {}),
            http=self._unsent(step.trusted_origins, step.timeout.total_seconds()),
            destinations=self._ports.destinations,
            rendered=step.rendered,
            written=step.written,
            action=step.action,
            place=step.place,
            provisions=self._ports.provisions,
            origins=step.trusted_origins,
        )

    def _why(self, error: HookrtError, *, first: bool) -> str:
        text = self._ports.mask(str(error))
        return text if first else f"it depends on what the steps before it give ({text})"


def show_settings(settings: Any, mask: Callable[[str], str]) -> Any:
    """What settings say, as JSON values: those that were written, secrets masked."""
    secret = {name for name in type(settings).model_fields if _holds_secret(getattr(settings, name))}
    dumped = settings.model_dump(mode="json", exclude=secret, exclude_unset=True)
    return mask_within({**dumped, **dict.fromkeys(secret, "***")}, mask)


class SilentLog(Log):
    """A log for what nobody is to hear of."""

    def debug(self, event: str, **fields: Any) -> None:
        """Nothing."""

    info = warning = error = debug


def _holds_secret(value: Any) -> bool:
    items = value if isinstance(value, (tuple, list)) else (value,)
    return any(isinstance(item, SigningSecret) for item in items)


def _text_of(outcome: Outcome) -> str:
    said = ": ".join(text for text in (outcome.reason, outcome.message) if text)
    return said or "it would send nothing"
