"""What the README of hookrt-postgres shows is accepted, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins

PLUGIN = Path(__file__).parents[2] / "plugins" / "hookrt-postgres"
TEXT = (PLUGIN / "README.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ELSEWHERE = {"dns", "blocked-address"}
URL = "postgresql://hooks:a-secret-of-the-test@db.example.com/shop"


@pytest.fixture
def registry(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.syspath_prepend(str(PLUGIN / "src"))
    from hookrt_postgres import Postgres, PostgresListen

    found = load_plugins()
    if Postgres.name not in found.actions:
        found.add_action(Postgres)
        found.add_source(PostgresListen)
    return found


def problems_of(text, registry, folder):
    (folder / "hooks.yaml").write_text(text)
    loaded = load(folder / "hooks.yaml", LoadOptions(registry=registry, env={"HOOKRT_SECRET_SHOP_DB": URL}))
    return [str(one) for one in loaded.problems]


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_is_accepted(text, registry, tmp_path):
    assert problems_of(text, registry, tmp_path) == []


def test_an_expression_in_sql_and_a_missing_value_are_found_before_the_start(registry, tmp_path):
    text = BLOCKS[0].replace("%(customer)s", "${{ event.data.customer }}")
    [found] = problems_of(text, registry, tmp_path)
    assert "`sql`" in found
    text = BLOCKS[0].replace("%(customer)s", "%(costumer)s")
    missing, surplus = problems_of(text, registry, tmp_path)
    assert "`params` no `costumer`" in missing
    assert "`sql` no `%(customer)s`" in surplus


def test_each_setting_and_each_reason_is_explained(registry):
    rows = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([\w-]+)`", rows))
    action, source = registry.actions["postgres"], registry.sources["postgres_listen"]
    assert {*action.settings.model_fields, *source.settings.model_fields} <= named
    table = TEXT.partition("| reason |")[2].partition("##")[0]
    reasons = {
        word
        for line in table.splitlines()
        if line.startswith("| `")
        for word in re.findall(r"`([\w-]+)`", line.split("|")[1])
    }
    assert reasons == set(action.reasons) | ELSEWHERE
