from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
import pytest
from pydantic import Field, JsonValue, model_validator

from hookrt.config.load import Configuration, Loaded, LoadOptions, load
from hookrt.model.delivery import StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope, Step
from hookrt.model.origin import written_origin
from hookrt.model.problem import Severity
from hookrt.plugin import (
    AFTER_CRASH,
    STANDARD,
    Action,
    DestinationName,
    Duration,
    Settings,
    SettingsProblem,
    SigningSecrets,
    Size,
    Source,
)
from hookrt.plugin.registry import PluginInfo, Registry


class PostSettings(Settings):
    url: str | None = None
    to: DestinationName | None = None
    path: str | None = None
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default={})
    body: JsonValue = None
    signing_secret: SigningSecrets = ()

    @model_validator(mode="after")
    def _one_place(self) -> PostSettings:
        if (self.to is None) == (self.url is None):
            raise ValueError("set exactly one of `to` and `url`")
        return self


class Post(Action[PostSettings]):
    """Send something somewhere."""

    name = "post"
    short = "url"
    retry = STANDARD

    def check(self, settings: PostSettings) -> Iterable[SettingsProblem]:
        for name in settings.headers:
            if name.lower() == "host":
                yield SettingsProblem(("headers", name), "Host cannot be set by hand")

    def lane(self, written: Mapping[str, Any]) -> str | None:
        return written.get("to") or written_origin(written.get("url") or "")


class SnippetSettings(Settings):
    code: str
    memory: Size | None = None


class Snippet(Action[SnippetSettings]):
    """Run a snippet."""

    name = "snippet"
    short = "code"
    static = frozenset({"code"})
    text_files: ClassVar[Mapping[str, str]] = {"file": "code"}
    retry = AFTER_CRASH

    def check(self, settings: SnippetSettings) -> Iterable[SettingsProblem]:
        try:
            compile(settings.code, "snippet", "exec")
        except SyntaxError as error:
            yield SettingsProblem(("code",), f"it does not compile: {error.msg}", None, error.lineno, error.offset)


class Part(Settings):
    name: str
    size: int = 1


class SaySettings(Settings):
    text: str
    level: Literal["info", "warning"] = "info"
    count: int = Field(default=1, ge=1)
    wait: Duration | None = None
    loud: bool = False
    parts: tuple[Part, ...] = ()
    either: str | list[int] | None = None


class Say(Action[SaySettings]):
    """Say something."""

    name = "say"
    short = "text"


class BareSettings(Settings):
    what: str = "nothing"


class Bare(Action[BareSettings]):
    name = "bare"


class Eager(Action[BareSettings]):
    """Keeps the order of what it is asked while hooks.yaml is read."""

    name = "eager"
    asked: ClassVar[list[str]] = []

    @classmethod
    def expect_checks(cls) -> None:
        cls.asked.append("expect")
        raise OSError("it cannot begin")

    def check(self, settings: BareSettings) -> Iterable[SettingsProblem]:
        self.asked.append("check")
        return ()


class DbServiceSettings(Settings):
    dsn: str


class Db(Action[BareSettings]):
    name = "db"
    service_settings = DbServiceSettings


class Faulty(Action[BareSettings]):
    name = "faulty"

    def check(self, settings: BareSettings) -> Iterable[SettingsProblem]:
        raise KeyError(settings.what)


class TickerSettings(Settings):
    every: Duration
    type: str = "Tick.Tock"


class Ticker(Source[TickerSettings]):
    """Ticks."""

    name = "ticker"
    short = "every"

    def types(self, settings: TickerSettings) -> Sequence[str] | None:
        return [settings.type]


class InboxSettings(Settings):
    secret: str = ""


class Inbox(Source[InboxSettings]):
    name = "inbox"


ACTIONS: list[type[Action[Any]]] = [Post, Snippet, Say, Bare, Db, Faulty, Eager]


@dataclass
class Bench:
    """Loads texts as hooks.yaml and tells what came of them."""

    registry: Registry
    env: dict[str, str] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    missing_secrets: Literal["warn", "error"] = "warn"

    def load(self, text: str) -> Loaded:
        Path("hooks.yaml").write_text(text, encoding="utf-8")
        return self.load_path("hooks.yaml")

    def load_path(self, path: str) -> Loaded:
        options = LoadOptions(
            registry=self.registry, env=self.env, missing_secrets=self.missing_secrets, service=self.service
        )
        return load(Path(path), options)

    def told(self, text: str, severity: Severity = Severity.ERROR) -> list[str]:
        """Every problem as `line:column message | hint`."""
        return [
            f"{one.place.line}:{one.place.column} {one.message}" + (f" | {one.hint}" if one.hint else "")
            for one in self.load(text).problems
            if one.severity is severity
        ]

    def errors(self, text: str) -> list[str]:
        return self.told(text)

    def warnings(self, text: str) -> list[str]:
        assert self.load(text).configuration is not None
        return self.told(text, Severity.WARNING)

    def configuration(self, text: str) -> Configuration:
        loaded = self.load(text)
        assert loaded.errors == ()
        assert loaded.configuration is not None
        return loaded.configuration

    def hook(self, text: str) -> Hook:
        [hook] = self.configuration(text).hooks
        return hook

    def step(self, step: str) -> Step:
        """The step of a hook with this one only, its text indented as it stands."""
        return self.hook(self.with_step(step)).steps[-1]

    def step_errors(self, step: str) -> list[str]:
        """The errors of a hook with this one step, which begins in line 6, column 7."""
        return self.errors(self.with_step(step))

    @staticmethod
    def with_step(step: str) -> str:
        body = step.strip("\n").replace("\n", "\n      ")
        return f"hooks:\n  one:\n    on: User.Created\n    steps:\n      - say: before\n      {body}\n"


def make_registry() -> Registry:
    return Registry(
        actions={action.name: action for action in ACTIONS},
        sources={"ticker": Ticker, "inbox": Inbox},
        plugins=[PluginInfo("sms", "hookrt-sms", "1.2", "hookrt_sms", errors=("ImportError: no module named sms",))],
    )


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The plugins of these tests, not to be changed."""
    return make_registry()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(make_registry())


@pytest.fixture
def make_scope() -> Any:
    def make(data: Any = None, secrets: Mapping[str, str] | None = None, **outputs: Any) -> Scope:
        event = Event("1", "User.Created", "app", datetime(2027, 1, 1, tzinfo=UTC), content=msgspec.json.encode(data))
        steps = {name: StepResult(StepStatus.SUCCEEDED, output) for name, output in outputs.items()}
        return Scope(event, "one", {}, steps, (secrets or {}).__getitem__)

    return make
