"""The action: what a plugin implements, and what it is handed for each attempt."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast, get_type_hints

from pydantic import create_model

from hookrt.clock import Clock
from hookrt.errors import SecretMissing
from hookrt.model.event import Event
from hookrt.model.hook import Destination, FindLine, Place
from hookrt.model.outcome import Emission, Outcome
from hookrt.model.policy import NO_RETRY, RetryPolicy
from hookrt.plugin.protocols import CallSecrets, Http, Log, Patience, Provisions, State, StateError
from hookrt.plugin.settings import Settings, take_model

SettingsT = TypeVar("SettingsT", bound=Settings)


@dataclass(frozen=True, slots=True)
class ActionSetup:
    """What an action gets once, when the runtime starts.

    `base_dir` is the folder of hooks.yaml, for relative paths. `settings` is the action's own service settings
    (`service.actions.NAME`), None where it declares no `service_settings`. `http` is a way out for what must be asked
    at the start; each attempt brings its own. `local` says whether the service is for this machine only: it listens on
    a loopback address.
    """

    base_dir: Path
    clock: Clock
    log: Log
    http: Http
    settings: Settings | None = None
    local: bool = True


@dataclass(slots=True)
class ActionCall(Generic[SettingsT]):
    """What an action gets for one attempt.

    `event` is this call's own copy. `steps` holds the results of the earlier steps as plain values. `attempt`
    counts the attempts of this step from 1. `message_id` is the idempotency key, the same at every attempt.
    `started` is the attempt's time, `deadline` when it is cut off. `destinations` are the named ones. `rendered` are
    the settings that hold an expression, by their first key: what else there is was written out by somebody. `written`
    finds a line of a static text (code, say) in the file that it stands in, `written["code"](3)`; empty where there is
    no file. `action` is the action's name, `place` where the step stands, None where there is no file. `secrets` and
    `state` come from `provisions` when they are asked for. `patience` is the limit of its time, if that can be put off.
    `origins` are those of the URLs that somebody wrote out in the step or its destination, None where nobody knows.
    """

    settings: SettingsT
    event: Event
    hook: str
    step: str
    attempt: int
    message_id: str
    started: datetime
    deadline: datetime
    log: Log
    http: Http
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    rendered: frozenset[str] = frozenset()
    written: Mapping[str, FindLine] = field(default_factory=dict)
    emitted: list[Emission] = field(default_factory=list)
    action: str = ""
    place: Place | None = None
    provisions: Provisions | None = None
    patience: Patience | None = None
    origins: tuple[str, ...] | None = None

    @property
    def secrets(self) -> CallSecrets:
        """The secrets of the service: `call.secrets.require("CRM_TOKEN")`.

        Take the names from settings of the type `SecretName`, so that `hookrt check` knows them, and never from an
        event. A value that goes no further than one setting is better written there: `${{ secrets.CRM_TOKEN }}`.
        """
        if self.provisions is None:
            raise SecretMissing("there are no secrets where this call is made")
        return self.provisions.secrets

    @property
    def state(self) -> State:
        """A little memory of this action in this hook that survives a crash: `await call.state.add("runs")`."""
        if self.provisions is None:
            raise StateError("full", "there is no state where this call is made")
        return self.provisions.state_of(self.hook, self.action)

    @property
    def timeout(self) -> timedelta:
        """How long this attempt may take in all."""
        return self.deadline - self.started

    def emit(self, type: str, data: Any = None, *, subject: str | None = None, id: str | None = None) -> None:
        """Emit an event if this attempt succeeds, in the transaction that records it."""
        self.emitted.append(Emission(type, data, subject, id))


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Something wrong with settings that the model alone cannot see.

    `path` leads to the setting (`("headers", "Host")`); `line` and `column`, from 1, point into a text value. A
    `warning` is shown, and keeps nothing from running.
    """

    path: tuple[str | int, ...]
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
    warning: bool = False


class Action(Generic[SettingsT]):
    """The base of every action: give it a `name`, a settings model as the type parameter, and `run`.

    One instance serves all hooks, and many attempts at once.
    """

    name: ClassVar[str]
    """The key of a step in hooks.yaml: lower case letters, digits, `_`."""

    settings: ClassVar[type[Settings]]
    """The settings model; taken from `Action[Model]`."""

    service_settings: ClassVar[type[Settings] | None] = None
    """The model of `service.actions.NAME`, if the action has settings of its own there."""

    short: ClassVar[str | None] = None
    """The setting that a bare text or number stands for: `webhook: https://...` means `{url: https://...}`."""

    static: ClassVar[frozenset[str]] = frozenset()
    """Settings in which `${{` is an error: code, argv, SQL."""

    html: ClassVar[frozenset[str]] = frozenset()
    """Settings that are HTML: in them what a `${{ }}` gives is put in as text, `<` as `&lt;`."""

    text_files: ClassVar[Mapping[str, str]] = {}
    """Keys that name a text file whose content is taken for another setting, one of `static`: with `{"file": "code"}`
    somebody may write `file: snippets/shape.py` instead of `code`, and the action gets `code`. The path is relative to
    the folder of hooks.yaml and stays inside; the file is UTF-8, at most 64 KiB, and read again when it has changed."""

    shown: ClassVar[frozenset[str]] = frozenset()
    """Settings that belong to the policy of a step and are shown with it, as they were written: `success`, say."""

    retry: ClassVar[RetryPolicy] = NO_RETRY
    """The retry policy of a step that sets none, nor its hook, nor `defaults`."""

    default_timeout: ClassVar[timedelta | None] = None
    """The timeout of a step that sets none, nor its hook, nor `defaults`; None for the general 15 s."""

    step_defaults: ClassVar[frozenset[str]] = frozenset()
    """Service settings that only steps are read with (see `timeout_of_steps`), so that a reload changes them too."""

    only_sends: ClassVar[bool] = False
    """Whether `run` does nothing but send one request by `call.http`, so that a rehearsal, whose `http` sends nothing,
    can show that request."""

    only_http: ClassVar[bool] = False
    """Whether `call.http` is all of the outside that `run` reaches, or it reaches none: then `hookrt test` runs it,
    with answers that the test makes up. Of other actions a test has to give the output. `only_sends` says so, too."""

    reasons: ClassVar[Mapping[str, str]] = {}
    """The reasons that its outcomes can have, each with its meaning; for the documentation."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find the settings model in the type parameter."""
        super().__init_subclass__(**kwargs)
        take_model(cls, Settings)
        plain = cls.__dict__.get("run")
        if inspect.isfunction(plain) and not inspect.iscoroutinefunction(inspect.unwrap(plain)):
            cls.run = _in_thread(plain)  # type: ignore[method-assign,assignment]

    async def open(self, setup: ActionSetup) -> None:
        """Prepare, once, before the first attempt; raise PluginError to say why it cannot work here."""

    async def close(self) -> None:
        """Let go of everything; no attempt is under way any more."""

    def facts(self) -> Mapping[str, str]:
        """What people should know of it as it runs, by name: a few short words each, the same for long.

        They are shown at the start, in `/readyz` and in the metrics, which ask for them often. Only asked between
        `open` and `close`.
        """
        return {}

    def warnings(self) -> Iterable[str]:
        """What is not as it should be while it runs all the same; one sentence each.

        They are logged at the start and after each reload, and shown where `facts` are.
        """
        return ()

    @classmethod
    def timeout_of_steps(cls, service: Settings | None) -> timedelta | None:
        """The timeout of a step that sets none, nor its hook, nor `defaults`; None for the general one.

        `service` are its service settings, None where it declares none.
        """
        return cls.default_timeout

    @classmethod
    def expect_checks(cls) -> None:
        """Begin what `check` needs and takes a while (a process, say), without waiting for it.

        It is called whenever hooks.yaml has steps of this action, before their settings are read.
        """

    def check(self, settings: SettingsT) -> Iterable[SettingsProblem]:
        """Look at the settings of one step when hooks.yaml is read; yield what is wrong."""
        return ()

    def check_in(self, settings: SettingsT, base_dir: Path) -> Iterable[SettingsProblem]:
        """As `check`, which it asks, for an action to which the folder of hooks.yaml matters, `base_dir`."""
        return self.check(settings)

    def lane(self, written: Mapping[str, Any]) -> str | None:
        """The lane of a call with these settings *as written*, `${{ }}` and all; None for the hook's own lane.

        It is asked once, when hooks.yaml is read.
        """
        return None

    async def run(self, call: ActionCall[SettingsT]) -> Outcome:
        """Do it. Whatever is raised becomes a retry with the reason `exception`.

        A plain `def run`, without `async`, is called in a thread of its own, so that it may block.
        """
        raise NotImplementedError


ActionFunction = Callable[..., Awaitable[Any]] | Callable[..., Any]


def action(
    name: str, *, retry: RetryPolicy = NO_RETRY, only_http: bool = False
) -> Callable[[ActionFunction], type[Action[Any]]]:
    """Turn a function into an action: `@action("sms") async def sms(call, *, to: str, text: str) -> dict`.

    Its keyword-only parameters are the settings model. It returns the step's output, or an Outcome. A plain
    function runs in a thread. With `only_http`, `hookrt test` runs it: see `Action.only_http`.
    """

    def decorate(function: ActionFunction) -> type[Action[Any]]:
        namespace = {
            "name": name,
            "settings": _settings_of(name, function),
            "retry": retry,
            "only_http": only_http,
            "__doc__": inspect.getdoc(function),
            "__module__": function.__module__,
            "run": _runner(function),
        }
        return cast("type[Action[Any]]", type(function.__name__, (Action,), namespace))

    return decorate


def as_outcome(returned: Any) -> Outcome:
    """What a function returned, as an outcome: itself if it is one, else done with it as the output."""
    return returned if isinstance(returned, Outcome) else Outcome.done(returned)


def _settings_of(name: str, function: ActionFunction) -> type[Settings]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[parameter.name] = (hints.get(parameter.name, Any), default)
    return create_model(f"{name.title()}Settings", __base__=Settings, **fields)


def _runner(function: ActionFunction) -> Callable[..., Awaitable[Outcome]]:
    async def run(self: Action[Any], call: ActionCall[Any]) -> Outcome:
        chosen = {key: getattr(call.settings, key) for key in type(call.settings).model_fields}
        return as_outcome(await call_function(function, call, **chosen))

    return run


def _in_thread(function: ActionFunction) -> Callable[..., Awaitable[Any]]:
    async def run(self: Action[Any], call: ActionCall[Any]) -> Any:
        returned = await call_function(function, self, call)
        return await returned if inspect.isawaitable(returned) else returned

    run.__doc__ = function.__doc__
    return run


async def call_function(function: ActionFunction, *arguments: Any, **named: Any) -> Any:
    """Call an async function here, a plain one in a thread of its own.

    A thread cannot be stopped: whoever waits for it past a timeout goes on waiting until it ends, so that it keeps
    its place in the lane. Threads that hang do not keep the process from ending.
    """
    if inspect.iscoroutinefunction(function):
        return await function(*arguments, **named)
    from hookrt.plugin.threads import run_in_thread  # noqa: PLC0415 - asyncio is not needed to declare an action

    return await run_in_thread(functools.partial(function, *arguments, **named))
