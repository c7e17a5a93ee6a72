"""What every source promises, wherever its events come from; the contract classes for sources inherit it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ValidationError

from hookrt.plugin.admission import source_faults
from hookrt.plugin.settings import Settings
from hookrt.plugin.soundness import default_faults, secret_faults
from hookrt.plugin.source import Source
from hookrt.testing.run_attempts import read_settings


class SourceRules:
    """Tests of the class and its settings model. `source` is the one under test."""

    source: ClassVar[type[Source[Any]]]
    """The source under test."""

    invalid_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Settings that must be refused."""

    def test_the_runtime_admits_it(self) -> None:
        """The class has a name, a settings model and the methods that the runtime takes."""
        faults = source_faults(self.source)
        assert not faults, "; ".join(faults)

    def test_it_says_what_it_takes(self) -> None:
        """The class has a docstring: it is what editors and `hookrt sources` show."""
        assert (self.source.__doc__ or "").strip(), f"{self.source.__name__} needs a docstring"

    def test_its_settings_have_a_json_schema(self) -> None:
        """Editors can complete and check the settings, and unknown keys are errors."""
        schema = json.loads(json.dumps(self.source.settings.model_json_schema()))
        assert schema.get("additionalProperties") is False, "unknown keys must be errors"

    def test_its_settings_hide_their_secrets(self) -> None:
        """What is named like a secret is one, and does not show where somebody prints the settings."""
        assert not [*secret_faults(self.source)], "; ".join(secret_faults(self.source))

    def test_its_defaults_are_what_its_settings_give(self) -> None:
        """A default is of the type that the setting has when it is written: `timedelta(seconds=15)`, not `"15s"`."""
        assert not [*default_faults(self.source)], "; ".join(default_faults(self.source))

    def _read(self, written: Mapping[str, Any]) -> Settings | None:
        try:
            return read_settings(self.source.settings, written)
        except ValidationError:
            return None
