"""The reference of actions, sources and signature schemes: made from their settings models."""

from datetime import timedelta
from typing import Literal

import pytest
from pydantic import Field

from hookrt.cli.reference_view import as_markdown
from hookrt.config.load import LoadOptions, load
from hookrt.plugin import AFTER_CRASH, Action, Duration, Outcome, Secret, Settings, Size, exponential
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.reference import reference_of, retry_in_words

REGISTRY = load_plugins()
ALL = [
    (kind, table[name])
    for kind, table in (
        ("action", REGISTRY.actions),
        ("source", REGISTRY.sources),
        ("signature scheme", REGISTRY.schemes),
    )
    for name in sorted(table)
    if ":" not in name
]


class SmsSettings(Settings):
    to: str = Field(description="Who | gets it.", examples=["+49 30 1"])
    token: Secret | None = Field(None, description="What to log in with.")
    wait: Duration = Field(timedelta(seconds=90), description="How long to wait.")
    most: Size = Field(2 * 1024**2, description="The longest.")
    loud: bool = False


class Sms(Action[SmsSettings]):
    """Send a text message.

    More of it.
    """

    name = "sms"
    short = "to"
    retry = exponential(attempts=2)
    reasons = {"no-credit": "the account is empty"}  # noqa: RUF012

    async def run(self, call):
        return Outcome.done()


@pytest.mark.parametrize(("kind", "plugin"), ALL, ids=[f"{kind} {one.name}" for kind, one in ALL])
def test_the_example_of_every_reference_is_accepted(kind, plugin, tmp_path):
    reference = reference_of(kind, plugin)
    hooks = "" if reference.example.startswith("hooks:") else "hooks: {}\n"
    (tmp_path / "hooks.yaml").write_text(reference.example + hooks)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=REGISTRY, env={}))
    assert [str(problem) for problem in loaded.errors] == []
    assert reference.about
    assert all(key.type for key in reference.keys)


def test_the_page_has_keys_types_defaults_reasons_retries_and_an_example():
    page = as_markdown(reference_of("action", Sms))
    assert page.startswith("# action `sms`\n\nSend a text message.\n\nMore of it.\n")
    assert "      - sms: +49 30 1\n" in page
    assert "| `to` | text, like `+49 30 1` | **required** | Who \\| gets it. |" in page
    assert "| `token` | secret |  | What to log in with. |" in page
    assert "| `wait` | text, like `15s` `5m` | `1m30s` | How long to wait. |" in page
    assert "| `most` | text or integer | `2MiB` | The longest. |" in page
    assert "| `loud` | true or false | `false` |  |" in page
    assert "| `no-credit` | the account is empty |" in page
    assert "Retry by default: 1 more attempt: after " in page


def test_retries_are_told_in_words():
    assert retry_in_words(AFTER_CRASH) == "1 more attempt: at once, only for crashed"


class Login(Settings):
    user: str
    password: Secret


class ByFile(Settings):
    kind: Literal["file"]
    path: str


class ByWeb(Settings):
    kind: Literal["web"]
    login: Login | None = None


class DeepSettings(Settings):
    logins: list[Login]
    named: dict[str, Login]
    one: Login | list[Login]
    by: ByFile | ByWeb


class Deep(Action[DeepSettings]):
    """Deep."""

    name = "deep"

    async def run(self, call):
        return Outcome.done()


def test_models_in_lists_mappings_and_unions_are_described_too():
    told = {key.name: (key.type, key.required) for key in reference_of("action", Deep).keys}
    assert told["logins[].user"] == ("text", True)
    assert told["named.*.password"] == ("secret", True)
    assert [name for name in told if name.startswith("one")] == ["one", "one.user", "one.password"]
    assert told["by.kind"] == ("`file` or `web`", True)
    assert told["by.path"] == ("text", False)
    assert told["by.login.password"] == ("secret", False)
