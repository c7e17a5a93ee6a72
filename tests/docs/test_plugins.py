"""Every plugin point that docs/plugins.md shows is loaded as a plugin, and used by the hooks beside it."""

from __future__ import annotations

import asyncio
import re
import types
from pathlib import Path

import pytest

from hookrt import Runtime
from hookrt.config.load import LoadOptions, load
from hookrt.config.plugin_rules import read_plugin_rules
from hookrt.plugin import HookrtDeprecation, Status, warn_deprecated
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.spec import __dict__ as spec

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
POINTS = [text for kind, text in BLOCKS if kind == "python"]
ADA = {"name": "Ada", "email": "ada@ACME.com"}


def plugin(marker: str) -> types.ModuleType:
    [text] = [text for text in POINTS if marker in text]
    module = types.ModuleType(f"docs_{re.sub('[^a-z]', '_', marker)}")
    exec(compile(text, "docs/plugins.md", "exec", dont_inherit=True), module.__dict__)
    return module


def registry_of(module: types.ModuleType):
    registry = load_plugins(extra=[module])
    assert registry.plugins[-1].errors == ()
    return registry


def file_with(marker: str, tmp_path: Path) -> Path:
    [text] = [text for kind, text in BLOCKS if kind == "yaml" and marker in text]
    path = tmp_path / "hooks.yaml"
    path.write_text(text)
    return path


def deliver(path: Path, registry, *, data=ADA):
    """The deliveries of one event."""

    async def run():
        async with Runtime.from_file(path, store="memory:", registry=registry, env={}) as runtime:
            return await (await runtime.emit("User.Created", data)).wait(timeout=30)

    return asyncio.run(run())


def succeed(path: Path, registry, number: int) -> None:
    """Wait until so many deliveries of what a source sends have succeeded."""

    async def run():
        async with asyncio.timeout(30), Runtime.from_file(path, store="memory:", registry=registry, env={}) as runtime:
            while (await runtime.store.counts()).get(Status.SUCCEEDED, 0) < number:
                await asyncio.sleep(0.005)

    asyncio.run(run())


def statuses(deliveries):
    return [str(one.status) for one in deliveries]


def test_every_plugin_point_is_shown():
    points = {name for name in spec if name.startswith("hookrt_")}
    assert points == {name for text in POINTS for name in re.findall(r"^def (hookrt_\w+)", text, re.MULTILINE)}


def test_the_action_runs(tmp_path):
    registry = registry_of(plugin("class Sms("))
    assert statuses(deliver(file_with("- sms:", tmp_path), registry)) == ["succeeded"]


def test_the_function_as_an_action_runs(tmp_path):
    registry = registry_of(plugin('@action("shout")'))
    path = tmp_path / "hooks.yaml"
    path.write_text("hooks: {a: {on: User.Created, steps: [{shout: {text: hi, times: 2}}]}}")
    assert statuses(deliver(path, registry)) == ["succeeded"]


def test_the_source_emits(tmp_path):
    registry = registry_of(plugin("class Counter("))
    succeed(file_with("counter:", tmp_path), registry, 3)


def test_the_secret_provider_is_asked(tmp_path):
    registry = registry_of(plugin("class Vault"))
    loaded = load(file_with("secrets.CRM_TOKEN", tmp_path), LoadOptions(registry, missing_secrets="error"))
    assert loaded.problems == ()
    assert loaded.configuration is not None
    assert loaded.configuration.secrets.get("CRM_TOKEN") == "s3cret-of-the-vault"


def test_the_signature_scheme_signs(tmp_path):
    from datetime import UTC, datetime

    registry = registry_of(plugin("class Acme("))
    env = {"HOOKRT_SECRET_ACME_KEY": "k"}
    loaded = load(file_with("scheme: acme", tmp_path), LoadOptions(registry, env=env))
    assert loaded.problems == ()
    assert loaded.configuration is not None
    [signing] = loaded.configuration.destinations["acme"].signing
    made = signing.sign("msg_1", datetime.now(UTC), b"{}")
    assert set(made) == {"x-acme-signature"}


def test_the_observer_is_told(tmp_path):
    module = plugin("class Told(")
    path = tmp_path / "hooks.yaml"
    path.write_text("hooks: {a: {on: User.Created, steps: [{log: hi}]}}")
    deliver(path, registry_of(module))
    assert module.told.attempts == [("a", "log", "succeeded")]


def test_the_function_of_expressions_decides_and_renders(tmp_path):
    registry, path = registry_of(plugin('@cel_function("domain")')), file_with("domain(event.data.email)", tmp_path)
    assert statuses(deliver(path, registry)) == ["succeeded"]
    assert deliver(path, registry, data={"email": "ada@example.com"}) == []
    assert deliver(path, registry, data={"email": "nobody"}) == []


def test_check_knows_the_function(tmp_path):
    registry, path = registry_of(plugin('@cel_function("domain")')), file_with("domain(event.data.email)", tmp_path)
    path.write_text(path.read_text().replace("when: domain(", "when: domian("))
    [problem] = load(path, LoadOptions(registry)).errors
    assert "hooks.yaml:4:11: error: unknown function 'domian'; did you mean 'domain'?" in str(problem)


def test_what_is_denied_names_the_line(tmp_path):
    path = file_with("deny: [python]", tmp_path)
    path.write_text(path.read_text().replace("hooks: {}", "hooks:\n  a: {on: X, steps: [{python: 'x'}]}"))
    registry = load_plugins(rules=read_plugin_rules(path, {}))
    [problem] = load(path, LoadOptions(registry)).errors
    assert problem.message == "there is no action 'python'"
    assert problem.hint is not None
    assert problem.hint.endswith(f"is denied by `service.plugins.deny` at {path}:4:12")


def test_a_plugin_can_deprecate_what_it_offers():
    [call] = re.findall(r"`(warn_deprecated\(.*?\))`", TEXT)
    with pytest.warns(HookrtDeprecation, match=r"sms.Old is deprecated and will be gone in hookrt 2.0: use sms.New"):
        eval(call, {"warn_deprecated": warn_deprecated})
