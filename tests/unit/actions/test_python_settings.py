"""The settings of the action `python`."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from hookrt.actions.python_snippet.settings import MAX_SOURCE, MIB, PythonServiceSettings, PythonSettings


def test_limits_are_written_as_sizes_and_default_to_the_services() -> None:
    settings = PythonSettings.model_validate({"code": "result = 1", "memory": "128MiB", "output": "1KiB"})
    assert (settings.memory, settings.output, settings.result) == (128 * MIB, 1024, None)
    service = PythonServiceSettings()
    assert (service.memory, service.output, service.result) == (256 * MIB, 64 * 1024, 256 * 1024)
    assert service.workers >= 4


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"code": "x" * (MAX_SOURCE + 1)},
        {"code": "é" * (MAX_SOURCE // 2 + 1)},
        {"code": "'\ud800'"},
        {"code": 1},
        {"code": "x", "memory": "1MiB"},
        {"code": "x", "memory": "lots"},
        {"code": "x", "result": "1GiB"},
        {"code": "x", "isolation": "none"},
        {"code": "x", "depth": 65},
    ],
)
def test_what_cannot_work_is_a_problem_of_the_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        PythonSettings.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"spares": -1},
        {"runs_per_worker": 0},
        {"require": "some"},
        {"timeout": "0s"},
        {"timeout": "48h"},
        {"depth": 0},
        {"depth": 65},
    ],
)
def test_so_it_is_for_the_service(wrong: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        PythonServiceSettings.model_validate(wrong)
