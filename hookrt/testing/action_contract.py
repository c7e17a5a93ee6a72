"""The contract of an action as a class of tests to inherit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from hookrt.model.event import Event, encode_data
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.plugin.action import Action, SettingsProblem
from hookrt.plugin.admission import action_faults
from hookrt.plugin.protocols import Http
from hookrt.plugin.settings import Settings
from hookrt.plugin.soundness import default_faults, secret_faults
from hookrt.testing.build_event import event
from hookrt.testing.recorded import RecordedHttp
from hookrt.testing.run_attempts import (
    CallOptions,
    RunOptions,
    SetupOptions,
    attempt,
    call_for,
    open_action,
    read_settings,
    run_action,
)

ENGINE_REASONS = frozenset(
    {"gone", "disable", "abort-message", "redirect", "status"}
    | {"timeout", "exception", "bad-output", "template", "crashed"}
    | {"dns", "refused", "reset", "tls", "too-large", "blocked-address", "bad-url", "bad-request", "protocol"}
)
"""Reasons that come from `Outcome.from_response`, from `call.http` or from the engine; no action need document them."""


class ActionContract:
    """Tests that every action must pass: `class TestSms(ActionContract): action = Sms; valid_settings = ...`.

    Give `action`, at least one of `valid_settings`, and of `invalid_settings` what a writer of hooks.yaml might get
    wrong. Override the methods that begin with `make_` where the defaults do not fit.
    """

    action: ClassVar[type[Action[Any]]]
    """The action under test."""

    valid_settings: ClassVar[Sequence[Mapping[str, Any]]]
    """Settings as in hooks.yaml that must be accepted, and with which the action is run."""

    invalid_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Settings that must be refused."""

    def make_event(self) -> Event:
        """The event that the action is run with."""
        return event("Test.Happened", {"user": {"id": "u1", "email": "ada@example.com"}, "n": 1})

    def make_http(self) -> Http:
        """The HTTP that the action is run with; by default every request is answered 200 with `{}`."""
        return RecordedHttp()

    def make_secrets(self) -> Mapping[str, str]:
        """The secrets that the action finds in `call.secrets`, by name."""
        return {}

    def make_service_settings(self, tmp_path: Path) -> Mapping[str, Any]:
        """What stands under `service.actions.NAME`; `tmp_path` is an empty folder."""
        return {}

    def test_the_runtime_admits_it(self) -> None:
        """The class has a name, a settings model and a `run` that the runtime takes."""
        faults = action_faults(self.action)
        assert not faults, "; ".join(faults)

    def test_it_says_what_it_does(self) -> None:
        """The class has a docstring: it is what editors and `hookrt plugins` show."""
        assert (self.action.__doc__ or "").strip(), f"{self.action.__name__} needs a docstring"

    def test_its_settings_have_a_json_schema(self) -> None:
        """Editors can complete and check the settings, and unknown keys are errors."""
        schema = json.loads(json.dumps(self.action.settings.model_json_schema()))
        assert schema.get("type") == "object"
        assert schema.get("additionalProperties") is False, "unknown keys must be errors"

    def test_its_settings_hide_their_secrets(self) -> None:
        """What is named like a secret is one, and does not show where somebody prints the settings."""
        assert not [*secret_faults(self.action)], "; ".join(secret_faults(self.action))

    def test_its_defaults_are_what_its_settings_give(self) -> None:
        """A default is of the type that the setting has when it is written: `timedelta(seconds=15)`, not `"15s"`."""
        assert not [*default_faults(self.action)], "; ".join(default_faults(self.action))

    def test_valid_settings_are_accepted(self) -> None:
        """The examples of valid settings pass the model."""
        assert self.valid_settings, "give at least one example of valid settings"
        for written in self.valid_settings:
            read_settings(self.action.settings, written)

    def test_valid_settings_have_no_problems(self, tmp_path: Path) -> None:
        """`check_in`, which asks `check`, finds nothing in the examples of valid settings; a warning is allowed."""
        for written in self.valid_settings:
            found = self._problems(read_settings(self.action.settings, written), tmp_path)
            assert found == [], f"{written} has problems"

    def test_invalid_settings_are_refused(self, tmp_path: Path) -> None:
        """The model, `check` or `check_in` refuses the examples of invalid settings."""
        for written in self.invalid_settings:
            settings = self._read(written)
            assert settings is None or self._problems(settings, tmp_path), f"{written} should be refused"

    def test_an_unknown_setting_is_refused(self) -> None:
        """A misspelt setting is an error, not silence."""
        for written in self.valid_settings:
            assert self._read({**written, "no_such_setting": 1}) is None, "an unknown key must be an error"

    def test_its_lane_is_a_text_or_none(self) -> None:
        """`lane` names a lane for the settings as written, or leaves it to the hook."""
        for written in self.valid_settings:
            lane = self.action().lane(written)
            assert lane is None or lane, f"{lane!r} is no lane"

    def test_it_opens_and_closes_without_a_run(self, tmp_path: Path) -> None:
        """`open` and `close` work when nothing happens in between."""

        async def open_and_close() -> None:
            async with open_action(self.action, **self._setup(tmp_path)):
                pass

        asyncio.run(open_and_close())

    def test_a_run_ends_in_a_valid_outcome(self, tmp_path: Path) -> None:
        """`run` returns an Outcome with JSON as its output and a documented reason."""
        for written in self.valid_settings:
            options: RunOptions = {**self._setup(tmp_path), **self._call()}
            self.check_outcome(run_action(self.action, written, **options))

    def test_one_instance_serves_many_attempts_at_once(self, tmp_path: Path) -> None:
        """Attempts under way together do not disturb one another."""

        async def run_together() -> Sequence[Outcome]:
            async with open_action(self.action, **self._setup(tmp_path)) as opened:
                calls = [call_for(opened, written, **self._call()) for written in self.valid_settings for _ in range(3)]
                return await asyncio.gather(*(attempt(opened, call) for call in calls))

        for outcome in asyncio.run(run_together()):
            self.check_outcome(outcome)

    def check_outcome(self, outcome: object) -> None:
        """Fail unless this is an Outcome with JSON as its output and a reason that the action documents."""
        assert isinstance(outcome, Outcome), f"run returned {type(outcome).__name__}"
        encode_data(outcome.output)
        if outcome.kind is OutcomeKind.DONE:
            return
        assert outcome.reason, "an outcome that is not done needs a reason"
        if self.action.reasons:
            known = ENGINE_REASONS | set(self.action.reasons)
            assert outcome.reason in known, f"document {outcome.reason!r} in `reasons`"

    def _read(self, written: Mapping[str, Any]) -> Settings | None:
        try:
            return read_settings(self.action.settings, written)
        except ValidationError:
            return None

    def _problems(self, settings: Settings, base_dir: Path) -> Sequence[SettingsProblem]:
        """What keeps these settings from being used."""
        return [one for one in self.action().check_in(settings, base_dir) if not one.warning]

    def _setup(self, tmp_path: Path) -> SetupOptions:
        return {"base_dir": tmp_path, "service_settings": self.make_service_settings(tmp_path)}

    def _call(self) -> CallOptions:
        return {"event": self.make_event(), "http": self.make_http(), "secrets": self.make_secrets()}
