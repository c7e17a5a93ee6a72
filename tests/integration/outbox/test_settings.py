"""The settings of the source `outbox`, and what is never told of them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hookrt.config.load import LoadOptions, load
from hookrt.outbox.postgres_rows import hide_password
from hookrt.outbox.settings import OutboxSettings, conninfo_of, file_of
from hookrt.plugin.manager import load_plugins


def read(**settings: str) -> OutboxSettings:
    return OutboxSettings.model_validate_json(json.dumps(settings))


@pytest.mark.parametrize("url", ["mysql://u:hush@h/d", "hush", "", "sqlite://", "sqlite:///", "postgresql:hush"])
def test_another_database_is_refused_without_showing_its_url(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(url=url)
    assert "an outbox is postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("poll", ["0s", "9ms", "61m"])
def test_a_poll_that_makes_no_sense_is_refused(poll: str) -> None:
    with pytest.raises(ValidationError, match="poll at least"):
        read(url="sqlite:///app.db", poll=poll)


def test_a_file_is_meant_from_the_folder_of_hooks_yaml() -> None:
    folder = Path("/srv/shop")
    assert file_of("sqlite:///app.db", folder) == folder / "app.db"
    assert file_of("sqlite+aiosqlite:////var/app.db", folder) == Path("/var/app.db")
    assert file_of("postgresql://h/d", folder) is None


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql+asyncpg://u@h/d", "postgresql://u@h/d"])
def test_the_url_of_the_application_itself_will_do(url: str) -> None:
    assert conninfo_of(read(url=url).url.get_secret_value()) == "postgresql://u@h/d"


def test_the_url_is_a_secret() -> None:
    settings = read(url="postgresql://u:hush@h/d")
    assert "hush" not in repr(settings)
    assert settings.poll == timedelta(milliseconds=250)
    said = hide_password('cannot reach "hu%73h" or hush', "postgresql://u:hu%73h@h/d")
    assert said == 'cannot reach "***" or ***'
    assert hide_password("hush: no", "postgresql://h/d?a=b&password=hush") == "***: no"


@pytest.mark.parametrize(
    "written", ["{url: '${{ secrets.SHOP }}'}", "{url: 'sqlite:///app.db', poll: 1s}", "sqlite:///app.db"]
)
def test_hooks_yaml_names_it_in_long_and_in_short(written: str, tmp_path: Path) -> None:
    hooks = "hooks:\n  paid: {on: Order.Paid, from: orders, steps: [{log: paid}]}\n"
    (tmp_path / "hooks.yaml").write_text(
        f"sources:\n  orders: {{outbox: {written.replace(chr(39), chr(34))}}}\n{hooks}"
    )
    env = {"HOOKRT_SECRET_SHOP": "postgresql://u:hush@h/d"}
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env=env))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_facade_offers_the_outbox_and_importing_it_loads_no_driver() -> None:
    program = """
import sys, hookrt
assert "hookrt.outbox" not in sys.modules
hookrt.outbox.emit, hookrt.outbox.emit_sync
from hookrt import outbox
assert not {"psycopg", "asyncpg", "sqlalchemy", "django", "aiosqlite", "httpx", "yaml"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
