from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def service(bench: Any, text: str = "{}") -> Any:
    return bench.configuration(f"service: {text}\nhooks: {{one: {{on: A, steps: [{{say: x}}]}}}}\n").service


def test_without_a_word_the_service_has_its_defaults(bench: Any) -> None:
    found = service(bench)
    assert (found.host, found.port, found.store, found.tokens) == ("127.0.0.1", 4665, None, ())
    assert (found.limits.event, found.limits.batch) == (1024**2, 5 * 1024**2)
    assert (found.limits.pending, found.limits.concurrency, found.limits.in_flight) == (1_000_000, 32, 10_000)
    assert (found.drain, found.removed_hook_hold) == (timedelta(seconds=8), timedelta(hours=1))
    assert (found.poll, found.log.level, found.log.format) == (timedelta(seconds=1), "info", "auto")
    assert (found.secrets.prefix, found.secrets.directory) == ("HOOKRT_SECRET_", None)


def test_the_service_has_what_was_written(bench: Any) -> None:
    found = service(
        bench,
        "{host: 0.0.0.0, port: 80, store: sqlite:///x.db, limits: {event: 64KiB, pending: 5}, drain: 3s,"
        " tokens: [{token: abc-def, scopes: [emit, read]}], log: {level: debug, format: json},"
        " egress: {allow: [10.0.0.0/8, db.internal:5432], deny: [192.0.2.1]}, actions: {db: {dsn: x}}}",
    )
    assert (found.host, found.port, found.store) == ("0.0.0.0", 80, "sqlite:///x.db")
    assert (found.limits.event, found.limits.pending) == (64 * 1024, 5)
    [token] = found.tokens
    assert (token.token.get_secret_value(), token.scopes) == ("abc-def", ("emit", "read"))
    assert "abc-def" not in repr(found)
    assert found.egress.allow == ("10.0.0.0/8", "db.internal:5432")
    assert found.actions["db"].dsn == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{prot: 80}", "1:11 `service` has no setting 'prot' | did you mean 'port'?"),
        ('{port: "80"}', "1:17 `port` must be a whole number, this is text"),
        ("{port: 70000}", "1:17 `port` must be less than or equal to 65535"),
        ("{store: ''}", "1:18 `store` must have at least 1 character"),
        (
            "{port: 80, store: 'postgres://db'}",
            "1:28 there is no store for 'postgres' URLs: a store is `sqlite:///PATH`",
        ),
        ("{store: sqlite://x.db}", "1:18 'sqlite://x.db' is no store: a file is written with three slashes"),
        ("{store: x.db}", "1:18 'x.db' is no store URL"),
        ("{host: my host}", "1:17 'my host' is no host: it is an address or a name | 127.0.0.1 is this machine only"),
        ("{host: 999.1.1.1}", "1:17 '999.1.1.1' is no host"),
        ("{host: 'http://a.example'}", "1:17 'http://a.example' is no host: it is an address or a name | write the h"),
        (
            "{host: 'localhost:80'}",
            "1:17 'localhost:80' is no host: it is an address or a name | write the host alone;",
        ),
        ("{host: '[::1]'}", "1:17 '[::1]' is no host: it is an address or a name | write an IPv6 address without br"),
        ("{limits: {event: 1}, drain: 8}", "1:38 `drain`: 8 is no duration"),
        ("{limits: {evnt: 1MiB}}", "1:20 `service` has no setting 'evnt' | did you mean 'event'?"),
        ("{tokens: [{token: a b, scopes: [emit]}]}", "1:28 `tokens.0.token`: a token is one word"),
        ("{tokens: [{token: abc, scopes: [emt]}]}", "1:42 `tokens.0.scopes.0` must be 'emit', 'read' or 'admin'"),
        ("{tokens: [{token: abc, scopes: []}]}", "1:41 `tokens.0.scopes`"),
        ("{tokens: [{token: abc}]}", "1:20 `tokens.0` of `service` needs `scopes`"),
        ("{actions: {sya: {}}}", "1:21 there is no action 'sya'"),
        ("{actions: {say: {}}}", "1:21 the action 'say' has no service settings"),
        ("{actions: {db: {dns: x, dsn: y}}}", "1:26 `db` has no setting 'dns' | did you mean 'dsn'?"),
        ("{egress: {allow: [10.0.0.0/99]}}", "1:28 "),
        ("{secrets: {prefix: a-b}}", "1:29 `prefix`"),
        ('{store: "${{ secrets.X }}", secrets: {prefix: "${{ secrets.X }}"}}', "1:61 "),
        ("[]", "1:10 `service` must be a mapping"),
        ("{log: {level: warn}}", "1:24 `log.level` must be 'debug', 'info', 'warning' or 'error' | did you mean"),
    ],
)
def test_a_bad_service_setting_is_an_error_at_its_place(bench: Any, text: str, message: str) -> None:
    errors = bench.errors(f"service: {text}\nhooks: {{one: {{on: A, steps: [{{say: x}}]}}}}\n")
    assert any(error.startswith(message) for error in errors), errors


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0.0.0.0", "127.1", "::", "::1", "fe80::1%eth0", "localhost", "hooks", "a.b-c.example.", "bücher.de"],
)
def test_a_host_that_some_machine_could_have_is_no_error(bench: Any, host: str) -> None:
    assert service(bench, f"{{host: '{host}'}}").host == host


@pytest.mark.parametrize("store", ["memory:", "sqlite:///not/there.db"])
def test_a_store_that_could_be_there_is_no_error(bench: Any, store: str) -> None:
    assert service(bench, f"{{store: '{store}'}}").store == store


def test_an_action_that_needs_service_settings_says_so_where_it_is_used(bench: Any) -> None:
    assert bench.step_errors("- db: {}") == [
        "6:9 the action `db` needs settings of the service | write them below `service:`, `actions:`, `db:`"
    ]
    text = "service: {actions: {db: {dsn: x}}}\n" + bench.with_step("- db: {}")
    assert bench.configuration(text).service.actions["db"].dsn == "x"


def test_bad_service_settings_of_an_action_are_told_once_and_not_at_its_steps(bench: Any) -> None:
    text = "service: {actions: {db: {dns: x}}}\n" + bench.with_step("- db: {}")
    errors = bench.errors(text)
    assert not [error for error in errors if "needs settings of the service" in error], errors
    assert any("`db` has no setting 'dns'" in error for error in errors), errors


# Variables


def test_variables_win_over_the_file(bench: Any) -> None:
    bench.env.update(
        HOOKRT_PORT="81",
        HOOKRT_HOST="0.0.0.0",
        HOOKRT_LIMITS__EVENT="2MiB",
        HOOKRT_LIMITS__PENDING="7",
        HOOKRT_DRAIN="3s",
        HOOKRT_LOG__FORMAT="json",
        HOOKRT_EGRESS__ALLOW="10.0.0.0/8, private",
        HOOKRT_TOKENS='[{"token": "abc-def", "scopes": ["admin"]}]',
        HOOKRT_ACTIONS__DB__DSN="from-a-variable",
        HOOKRT_STORE="",
    )
    found = service(bench, "{port: 80, limits: {event: 1MiB, concurrency: 3}, log: {level: debug}, store: 'memory:'}")
    assert (found.host, found.port, found.drain) == ("0.0.0.0", 81, timedelta(seconds=3))
    assert (found.limits.event, found.limits.pending, found.limits.concurrency) == (2 * 1024**2, 7, 3)
    assert (found.log.level, found.log.format) == ("debug", "json")
    assert found.egress.allow == ("10.0.0.0/8", "private")
    assert found.tokens[0].token.get_secret_value() == "abc-def"
    assert found.actions["db"].dsn == "from-a-variable"
    assert found.store == "memory:"


def test_what_is_given_directly_wins_over_variables(bench: Any) -> None:
    bench.env["HOOKRT_PORT"] = "81"
    bench.service.update(port=82, host=None, store="sqlite:///given.db", limits={"pending": 9}, drain="1s")
    found = service(bench, "{port: 80, host: a.example}")
    assert (found.port, found.host, found.store) == (82, "a.example", "sqlite:///given.db")
    assert (found.limits.pending, found.drain) == (9, timedelta(seconds=1))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HOOKRT_PROT", "80", "the variable HOOKRT_PROT is no setting of hookrt | did you mean HOOKRT_PORT?"),
        ("HOOKRT_LIMITS_EVENT", "1MiB", "did you mean HOOKRT_LIMITS__EVENT?"),
        ("HOOKRT_SECRETKEY", "x", "is no setting of hookrt"),
        ("HOOKRT_PORT", "eighty", "`port` must be a whole number, this is text"),
        ("HOOKRT_LIMITS__EVENT", "1 XB", "`limits.event`: '1 XB' is no size"),
        ("HOOKRT_HOST", "s3cret-value:80", "this is no host: it is an address or a name"),
        ("HOOKRT_STORE", "s3cret-value", "this is no store URL: a store is `sqlite:///PATH`"),
        ("HOOKRT_TOKENS", "[{", "should go on"),
        ("HOOKRT_TOKENS", '[{"token": "s3cret-value", "scope": []}]', "needs `scopes`"),
    ],
)
def test_a_bad_variable_is_an_error_that_names_it_and_hides_its_value(
    bench: Any, name: str, value: str, message: str
) -> None:
    bench.env[name] = value
    loaded = bench.load("hooks: {one: {on: A, steps: [{say: x}]}}\n")
    told = [str(problem) for problem in loaded.problems]
    assert any(one.startswith(f"${name}:") and message.partition(" | ")[0] in one for one in told), told
    assert message.rpartition(" | ")[2] in "".join(told)
    assert "s3cret-value" not in "".join(told)


def test_the_place_of_a_variable_or_a_flag_is_its_name(bench: Any) -> None:
    bench.env.update(HOOKRT_PORT="eighty", HOOKRT_STORE="${{ env.A }} ${{", HOOKRT_PROT="1")
    bench.service["host"] = ""
    told = {str(problem).partition(": ")[0] for problem in bench.load("").problems}
    assert {"$HOOKRT_PORT", "$HOOKRT_STORE", "$HOOKRT_PROT", "--host"} <= told


def test_secrets_and_the_clients_variables_are_no_settings(bench: Any) -> None:
    bench.env.update(HOOKRT_SECRET_KEY="x", HOOKRT_URL="http://x", HOOKRT_TOKEN="x", PATH="/", HOOKRT="x")
    service(bench)
    bench.env["HOOKRT_KEYS_A"] = "x"
    service(bench, "{secrets: {prefix: HOOKRT_KEYS_}}")
