"""docs/comparison.md: what it says of hookrt is so, each Y and each N."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from hookrt.cli.lazy_group import COMMANDS
from hookrt.config.policies import NAMED
from hookrt.config.schema import build_schema
from hookrt.model.own_events import OWN_EVENTS
from hookrt.model.policy import STANDARD
from hookrt.plugin.manager import load_plugins
from hookrt.signing import BODY_SCHEMES
from hookrt.web.api.app import build_api
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "comparison.md").read_text()
PEERS = 5


def table() -> dict[str, list[str]]:
    rows = [line.strip("|").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in rows[1:]}


ROWS = table()


class Facts:
    """What there is."""

    def __init__(self) -> None:
        self.registry = load_plugins()
        schema = build_schema(self.registry)
        definitions = schema["$defs"]
        self.hook = set(definitions["hook"]["properties"])
        self.destination = set(schema["properties"]["destinations"]["additionalProperties"]["properties"])
        self.auth = set(definitions["destination.AuthSettings"]["properties"])
        self.service = set(schema["properties"]["service"]["properties"])
        self.schema = json.dumps(schema)
        app = build_api(None, WebOptions(log=None), Faults(None))  # type: ignore[arg-type]
        self.routes = {(method, path) for path, one in app.openapi()["paths"].items() for method in one}

    def module(self, name: str) -> bool:
        try:
            return importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            return False


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts()


def is_there(facts: Facts) -> dict[str, bool]:
    """For each row, whether hookrt has it."""
    actions, sources, routes = facts.registry.actions, facts.registry.sources, facts.routes
    plugins = {folder.name for folder in (ROOT / "plugins").iterdir()}
    return {
        "hooks as a file in git": "check" in COMMANDS,
        "hooks made and changed by an API": ("post", "/v1/hooks") in routes or ("patch", "/v1/hooks/{name}") in routes,
        "webhooks out": "webhook" in actions,
        "queues and buckets out": plugins >= {"hookrt-nats", "hookrt-redis"},
        "events out of queues": plugins >= {"hookrt-nats", "hookrt-redis", "hookrt-postgres"},
        "events in the application's own transaction": facts.module("hookrt.outbox"),
        "code as an action": "python" in actions and "hookrt-command" in plugins,
        "code isolated by the operating system": facts.module("hookrt.actions.python_snippet.worker.walls"),
        "code and webhooks in one ordered chain": "steps" in facts.hook,
        "actions by third-party plugins": "hookrt-file" in plugins,
        "hooks that decide (allow, deny, change)": "mode" in facts.hook,
        "durable queue and retries": facts.module("hookrt.store.sqlite.writer"),
        "jitter": STANDARD.jitter == 0.2,
        "`Retry-After`": "max_retry_after" in facts.schema,
        "410 disables": facts.module("hookrt.delivery.hook_states"),
        "disabled after failing for long": "disable_after" in facts.service,
        "events kept while disabled": "disabled_hook_hold" in facts.service,
        "circuit breaker": "breaker" in facts.destination,
        "rate limit": "rate" in facts.destination,
        "Standard Webhooks, `v1` / `v1a`": facts.module("hookrt.signing.ed25519"),
        "Logto's and GitHub's signatures, described HMACs": {"logto", "github"} <= set(BODY_SCHEMES)
        and "hmac" in facts.registry.schemes,
        "rotation of secrets with an overlap": facts.module("hookrt.plugin.rotating_secrets"),
        "verified webhooks in": len(_inbound(sources)) == 12,
        "cron": "schedule" in sources,
        "idempotent ingest": facts.module("hookrt.web.idempotency"),
        "order by key": "order" in facts.hook,
        "payload filter": "when" in facts.hook,
        "dedupe, debounce, throttle by key": {"dedupe", "debounce", "throttle"} <= facts.hook,
        "rules over several events": "correlate" in facts.hook,
        "transformation": "python" in actions,
        "payload schemas enforced": "schemas" in facts.schema,
        "private addresses refused by default": facts.module("hookrt.egress.ranges"),
        "OAuth 2 / mTLS to the endpoint": "oauth2" in facts.auth and "tls" in facts.destination,
        "test delivery with a sample": ("post", "/v1/hooks/{name}/test") in routes,
        "replay of one / of many": {
            ("post", "/v1/deliveries/{delivery_id}/replay"),
            ("post", "/v1/deliveries/replay"),
        }
        <= routes,
        "dead deliveries kept and sent again": ("post", "/v1/deliveries/replay") in routes,
        "record of attempts, retention": "retention" in facts.service,
        "events about itself": bool(OWN_EVENTS),
        "web interface": facts.module("hookrt.web.dashboard"),
        "metrics": ("get", "/metrics") in routes,
        "traces": facts.module("hookrt.observability.traces"),
        "tenants, a portal for customers": "tenants" in facts.schema,
        "embedded in a Python program": facts.module("hookrt.runtime.core"),
        "runs without another service": facts.module("hookrt.store.sqlite"),
        "delivers from several machines": facts.module("hookrt.store.postgres"),
        "reload without a restart, the old stays on an error": facts.module("hookrt.runtime.reload"),
        "a changed hook tried on recorded events": ("post", "/v1/events/replay") in routes,
        "hooks carry tests, run offline": "test" in COMMANDS,
        "says why a hook did not fire": "explain" in COMMANDS,
        "imports others' files": "import" in COMMANDS,
    }


def _inbound(sources: dict[str, type]) -> list[str]:
    from hookrt.plugin import InboundSource

    return [name for name, found in sources.items() if ":" not in name and issubclass(found, InboundSource)]


PLAIN = {"schedule by default", "licence", "feature"}


def test_every_row_has_a_cell_for_each_and_a_check(facts: Facts) -> None:
    assert {len(cells) for cells in ROWS.values()} == {PEERS + 1}
    assert ROWS.keys() - PLAIN == is_there(facts).keys()


def test_each_yes_and_no_of_hookrt_is_so(facts: Facts) -> None:
    said = {name: cells[-1] for name, cells in ROWS.items() if name not in PLAIN}
    assert {name for name, cell in said.items() if not re.match(r"[YPN]\b", cell)} == set()
    assert {name: not cell.startswith("N") for name, cell in said.items()} == is_there(facts)


def test_the_schedule_by_default_is_as_told() -> None:
    days = sum(delay.total_seconds() for delay in STANDARD.delays) / 86400
    assert ROWS["schedule by default"][-1] == f"{STANDARD.attempts} in {days:.1f} days"
    assert NAMED["logto"].attempts == 4
