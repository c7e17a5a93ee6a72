"""Who may import whom, and what an import costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

HEAVY = {"pydantic", "httpx", "cel_expr_python", "yaml", "asyncio", "structlog", "msgspec", "pluggy", "pyreqwest"}


def loaded_by(statement):
    """The modules, and their top-level packages, that a fresh interpreter has loaded after the statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = set(json.loads(done.stdout))
    return names | {name.partition(".")[0] for name in names}


def test_the_import_contracts_hold():
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_hookrt_is_light():
    loaded = loaded_by("import hookrt")
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith("hookrt.")} == set()


def test_the_facade_offers_its_names():
    loaded_by("from hookrt import Event, HookrtError, Runtime, verify")


def test_a_name_that_the_facade_does_not_have_is_an_attribute_error():
    import hookrt

    with pytest.raises(AttributeError, match="nonsense"):
        hookrt.nonsense  # noqa: B018


def test_declaring_a_plugin_needs_no_http_client_no_yaml_and_no_expressions():
    loaded = loaded_by("import hookrt.plugin")
    assert loaded & {"httpx", "cel_expr_python", "yaml", "pyreqwest", "structlog", "fastapi", "sqlite3"} == set()


def test_loading_the_log_and_the_metrics_does_not_load_their_libraries():
    loaded = loaded_by("import hookrt.observability.log, hookrt.observability.metrics")
    assert loaded & {"structlog", "prometheus_client", "rich"} == set()


def test_the_pytest_plugin_costs_nothing_while_it_is_not_used():
    loaded = loaded_by("import hookrt.testing.pytest_plugin")
    assert loaded & (HEAVY - {"pluggy", "asyncio"}) == set()
    assert {name for name in loaded if name.startswith("hookrt.")} == {"hookrt.testing", "hookrt.testing.pytest_plugin"}


def test_the_testing_kit_needs_no_pytest():
    assert "pytest" not in loaded_by("from hookrt.testing import ActionContract, Receiver, run_action")
