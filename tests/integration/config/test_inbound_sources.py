"""Sources of webhooks in hooks.yaml: expressions over the request are checked where they stand, and an `on` is held
against what sources say that they send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.model.problem import Severity
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins()


class Desk:
    """Reads a hooks.yaml with hookrt's own sources."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._file = folder / "hooks.yaml"

    def load(self, text: str, **env: str) -> Loaded:
        self._file.write_text(text)
        return load(self._file, LoadOptions(registry=self._registry, env=env))

    def told(self, text: str, severity: Severity = Severity.ERROR) -> list[str]:
        found = [problem for problem in self.load(text).problems if problem.severity is severity]
        return [
            f"{problem.place.line}:{problem.place.column} {problem.message}"
            + (f" | {problem.hint}" if problem.hint else "")
            for problem in found
        ]


@pytest.fixture
def desk(registry: Registry, tmp_path: Path) -> Desk:
    return Desk(registry, tmp_path)


def source(settings: str) -> str:
    return f"sources:\n  shop:\n    token: {{secret: s3cret-token, {settings}}}\nhooks: {{}}\n"


def hooks(on: str, more: str = "") -> str:
    return f"""
sources:
  logto: {{logto: "a signing key"}}
hooks:
  one:
    on: {on}
    {more}
    steps: [{{log: x}}]
"""


@pytest.mark.parametrize("secret", [" ", "\\n", "\\t \\r\\n"])
@pytest.mark.parametrize("kind", ["token", "github", "hmac"])
def test_a_secret_of_nothing_but_white_space_lets_nobody_in(desk: Desk, kind: str, secret: str) -> None:
    more = ", header: X-Signature" if kind == "hmac" else ""
    for written in (f'"{secret}"', f'[s3cret-token, "{secret}"]'):
        told = desk.told(f"sources:\n  shop:\n    {kind}: {{secret: {written}{more}}}\nhooks: {{}}\n")
        assert "nothing but white space" in told[0]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("type: bdy.kind", ["3:41 unknown name 'bdy'; did you mean 'body'?"]),
        ("type: Contact.Created", ["3:41 unknown name 'Contact'; there are body, headers, query, event; a fixed text"]),
        ("type: event.typ", ["3:41 an event has no field 'typ'; did you mean 'type'?"]),
        ("type: 'body.kind + '", ["3:5"]),
        ("subject: '[body.a]'", ["3:45 this has to be a text; it is an array"]),
        ("id: steps.a.output", ["3:39 unknown name 'steps'"]),
        ("id: secrets.TOKEN", ["3:39 unknown name 'secrets'"]),
        ("type: '${{ bdy.kind }}'", ["3:46 unknown name 'bdy'; did you mean 'body'?"]),
        ("tpye: body.kind", ["3:35"]),
        ("type: [a]", ["3:41"]),
        ("max_body: 0B", ["3:45"]),
        ("max_body: big", ["3:45"]),
        ("respond: {status: 404}", ["3:53"]),
        ("respond: {headers: {content-length: '3'}}", ["3:54"]),
        ('respond: {headers: {x: "a\\r\\nb: c"}}', ["3:54"]),
        ("respond: {status: 204, body: x}", ["3:44"]),
    ],
)
def test_what_is_wrong_with_a_source_is_told_at_its_place(desk: Desk, settings: str, told: list[str]) -> None:
    found = desk.told(source(settings))
    assert len(found) == len(told), found
    assert all(one.startswith(start) for one, start in zip(found, told, strict=True)), found


def test_a_secret_is_needed_and_may_be_a_list(desk: Desk) -> None:
    assert desk.told("sources: {a: {token: {}}}\nhooks: {}") == [
        '1:15 `token` needs `secret` | write secret: "${{ secrets.NAME }}", and provide that secret'
    ]
    empty = desk.told("sources: {a: {token: {secret: []}}}\nhooks: {}")
    assert empty == ["1:31 `secret` must have at least 1 item, not 0"]
    for written in ('""', "[]", "[a, '']", "7"):
        assert desk.told(f"sources: {{a: {{token: {{secret: {written}}}}}}}\nhooks: {{}}"), written
    loaded = desk.load("sources: {a: {token: {secret: [one, two]}}}\nhooks: {}")
    assert loaded.configuration is not None
    assert loaded.configuration.sources[0].settings.plain_secrets == ("one", "two")


def test_the_short_form_is_the_secret(desk: Desk) -> None:
    loaded = desk.load("sources: {logto: {logto: '${{ secrets.KEY }}'}}\nhooks: {}", HOOKRT_SECRET_KEY="k")
    assert loaded.configuration is not None
    [entry] = loaded.configuration.sources
    assert entry.settings.plain_secrets == ("k",)
    assert (entry.path, entry.inbound, len(entry.types or ())) == ("/in/logto", True, 31)


def test_a_secret_written_into_the_file_is_masked_wherever_it_would_show(desk: Desk) -> None:
    loaded = desk.load(source("type: body.kind"))
    assert loaded.configuration is not None
    assert loaded.configuration.secrets.masker.mask("it is s3cret-token") == "it is ***"
    assert "s3cret-token" not in repr(loaded.configuration)


def test_an_expression_is_kept_for_the_request(desk: Desk) -> None:
    loaded = desk.load(source("type: '\"a.\" + body.b', id: '${{ body.id }}', subject: null"))
    assert loaded.configuration is not None
    [entry] = loaded.configuration.sources
    assert {name: one.text for name, one in entry.expressions.items()} == {
        "type": '"a." + body.b',
        "id": "${{ body.id }}",
    }
    assert entry.types is None


def test_two_loads_of_one_file_give_equal_sources(desk: Desk) -> None:
    first, second = (desk.load(source("type: body.kind")).configuration for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.sources == second.sources


def warnings(desk: Desk, text: str) -> list[str]:
    return desk.told(text, Severity.WARNING)


def test_a_misspelt_type_gets_a_did_you_mean(desk: Desk) -> None:
    told = ["6:9 no declared source sends 'PostSingIn' | did you mean 'PostSignIn'?"]
    assert warnings(desk, hooks("PostSingIn")) == told
    told = ["6:9 the source 'logto' sends nothing like 'PostSingIn' | did you mean 'PostSignIn'?"]
    assert warnings(desk, hooks("PostSingIn", "from: logto")) == told


def test_the_beginning_of_published_types_gets_the_pattern_that_means_them(desk: Desk) -> None:
    assert warnings(desk, hooks("User")) == ["6:9 no declared source sends 'User' | did you mean 'User.**'?"]
    assert warnings(desk, hooks("Grant")) == ["6:9 no declared source sends 'Grant' | did you mean 'Grant.*'?"]


def test_a_pattern_one_segment_short_gets_a_warning(desk: Desk) -> None:
    told = (
        "6:9 'User.*' misses 'User.Data.Updated' and 1 more | "
        "`*` is one segment: write 'User.**' for any depth, or list the types"
    )
    assert warnings(desk, hooks("User.*")) == [told]
    assert warnings(desk, hooks("User.*", "from: logto")) == [told]


@pytest.mark.parametrize(
    "on",
    [
        "User.**",
        "'**'",
        "[User.*, User.Data.Updated, User.SuspensionStatus.Updated]",
        "[User.*, User.*.Updated]",
        "Grant.*",
        "[User.Created, User.Deleted]",
        "Elsewhere.*",
        "Something.Else",
    ],
)
def test_a_pattern_that_misses_nothing_gets_none(desk: Desk, on: str) -> None:
    assert warnings(desk, hooks(on)) == []


def test_the_source_of_the_hook_decides_what_it_can_miss(desk: Desk) -> None:
    text = hooks("User.*", "from: shop").replace("sources:", "sources:\n  shop: {token: a-token}")
    assert warnings(desk, text) == []


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ("pull_request.opened", []),
        ("pull_request.*", []),
        ("push", []),
        ("pull_reqest.opened", ["did you mean 'pull_request.opened'?"]),
        ("pull_request", ["did you mean 'pull_request.*'?"]),
    ],
)
def test_published_patterns_count_as_types(desk: Desk, on: str, told: list[str]) -> None:
    text = hooks(on, "from: gh").replace('logto: {logto: "a signing key"}', "gh: {github: a-secret}")
    found: list[Any] = warnings(desk, text)
    assert [one.partition(" | ")[2] for one in found] == told
