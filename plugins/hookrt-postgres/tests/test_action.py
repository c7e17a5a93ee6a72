"""The action `postgres` against a real server."""

from datetime import timedelta

import pytest
from hookrt_postgres import Postgres
from hookrt_postgres.database import read_url
from psycopg import OperationalError

from hookrt.plugin import HttpError, OutcomeKind
from hookrt.testing import ActionContract, RecordedHttp, run_action


class TestContract(ActionContract):
    action = Postgres
    valid_settings = (
        {"sql": "SELECT 1 AS one"},
        {"sql": "SELECT %(a)s::text, %(b)s::jsonb, '5%%'", "params": {"a": "x", "b": [1, {"c": None}]}},
        {"sql": "SELECT %s::int + %s::int AS sum", "params": [1, 2], "rows": 1},
        {"sql": "SELECT '100%'"},
    )
    invalid_settings = (
        {},
        {"sql": ""},
        {"sql": "SELECT %(a)s"},
        {"sql": "SELECT %(a)s", "params": {}},
        {"sql": "SELECT %(a)s", "params": {"a": 1, "b": 2}},
        {"sql": "SELECT %s, %s", "params": [1]},
        {"sql": "SELECT %s", "params": {"a": 1}},
        {"sql": "SELECT %(a)s", "params": [1]},
        {"sql": "SELECT '5%', %(a)s", "params": {"a": 1}},
        {"sql": "SELECT 1", "rows": -1},
        {"sql": "SELECT 1", "url": "mysql://h/d"},
        {"sql": "SELECT 1", "url": "postgresql:///d"},
        {"sql": "SELECT 1", "url": "postgresql://h1,h2/d"},
        {"sql": "SELECT 1", "url": "postgresql://h:0/d"},
        {"sql": "SELECT 1", "url": "postgresql://h/d?hostaddr=10.0.0.1"},
        {"sql": "SELECT 1", "url": "postgresql://h/d?passfile=/etc/passwd"},
    )

    @pytest.fixture(autouse=True)
    def _server(self, url):
        self.url = url

    def make_service_settings(self, tmp_path):
        return {"url": self.url}


class Guard(RecordedHttp):
    """A way out that notes what it is asked, and refuses."""

    async def addresses_of(self, host, port, *, written=False):
        self.asked = (host, port, written)
        raise HttpError("blocked-address", "not there")


@pytest.fixture
def ask(url):
    """Runs a step; gives the outcome."""

    def run(sql, params=None, **options):
        more = {} if params is None else {"params": params}
        return run_action(Postgres, {"sql": sql, **more, **options.pop("settings", {})}, **options)

    return lambda sql, params=None, **options: run(sql, params, **{"service_settings": {"url": url}, **options})


def test_a_value_is_bound_and_never_becomes_sql(ask, execute, table):
    hostile = "'); DROP TABLE orders; -- %(id)s ${{ event.id }}"
    insert = f"INSERT INTO {table} VALUES (%(id)s, %(note)s)"
    outcome = ask(insert, {"id": "o1", "note": hostile})
    assert outcome.output == {"rows": [], "row_count": 1}
    assert execute(f"SELECT * FROM {table}") == [("o1", hostile)]


def test_rows_come_out_as_json_and_no_more_than_wanted(ask):
    query = "SELECT n, n * 1.5 AS half FROM generate_series(1, 5) AS n"
    assert ask(query, settings={"rows": 2}).output == {
        "rows": [{"n": 1, "half": "1.5"}, {"n": 2, "half": "3.0"}],
        "row_count": 5,
    }
    assert len(ask("SELECT * FROM generate_series(1, 150)").output["rows"]) == 100
    assert ask("SELECT 1", settings={"rows": 0}).output == {"rows": [], "row_count": 1}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NULL", None),
        ("1.10::numeric", "1.10"),
        ("'NaN'::float8", "nan"),
        ("'2025-01-02 03:04:05+00'::timestamptz AT TIME ZONE 'UTC'", "2025-01-02T03:04:05"),
        ("'\\x00ff'::bytea", "AP8="),
        ("ARRAY[1, NULL]", [1, None]),
        ("""'{"a": [1e400, 123456789012345678901234567890]}'::jsonb""", None),
        ("'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
    ],
)
def test_what_json_cannot_say_exactly_is_text(ask, expression, value):
    [row] = ask(f"SELECT {expression} AS x").output["rows"]
    if "1e400" in expression:
        assert row["x"]["a"][1] == "123456789012345678901234567890"
    else:
        assert row == {"x": value}


def test_mappings_and_lists_are_jsonb(ask):
    query = "SELECT jsonb_array_elements_text(%(ids)s) AS id, %(who)s->>'name' AS name"
    outcome = ask(query, {"ids": ["a", "b"], "who": {"name": "Ada"}})
    assert outcome.output["rows"] == [{"id": "a", "name": "Ada"}, {"id": "b", "name": "Ada"}]


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        ("40001", OutcomeKind.RETRY, "serialization"),
        ("40P01", OutcomeKind.RETRY, "serialization"),
        ("55P03", OutcomeKind.RETRY, "busy"),
        ("53100", OutcomeKind.RETRY, "busy"),
        ("57P01", OutcomeKind.RETRY, "connect"),
        ("08006", OutcomeKind.RETRY, "connect"),
        ("57014", OutcomeKind.RETRY, "timeout"),
        ("23505", OutcomeKind.REJECT, "sql"),
        ("42501", OutcomeKind.REJECT, "sql"),
    ],
)
def test_the_sqlstate_says_whether_another_try_helps(ask, state, kind, reason):
    outcome = ask(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}'; END $$")
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.message == f"PostgreSQL answered {state}: so it is"


def test_an_error_undoes_all_of_the_statement(ask, execute, table):
    twice = f"INSERT INTO {table} SELECT 'o1', 'a' FROM generate_series(1, 2)"
    outcome = ask(twice)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "sql")
    assert "23505" in outcome.message
    assert execute(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("more", ["SELECT 1", "COMMIT", "COMMIT; SELECT 1"])
@pytest.mark.parametrize("params", [None, {"id": "o1"}])
def test_several_statements_are_refused_and_undone(more, params, ask, execute, table):
    outcome = ask(f"INSERT INTO {table} VALUES ({'%(id)s' if params else repr('o1')}, ''); {more}", params)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "several-statements")
    assert execute(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("value", ["a\0b", "'infinity'"])
def test_a_value_that_cannot_be_held_is_rejected(ask, value):
    outcome = ask("SELECT 'infinity'::date") if "inf" in value else ask("SELECT %s::text", [value])
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-value")


def test_a_parameter_that_an_event_left_out_is_rejected(ask):
    outcome = ask("SELECT %(a)s::text", {"b": 1})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-value")


def test_the_server_ends_a_statement_in_time(ask):
    [row] = ask("SHOW statement_timeout", timeout=timedelta(seconds=40)).output["rows"]
    assert row["statement_timeout"].endswith(("s", "ms"))
    outcome = ask("SELECT pg_sleep(60)", timeout=timedelta(milliseconds=400))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "timeout")


@pytest.mark.parametrize("wrong", ["open%3Asesamo", "a%40b%20c"])
def test_a_password_is_never_told(ask, url, wrong):
    bad = url.replace("open%3Asesame", wrong)
    outcome = ask("SELECT 1", service_settings={"url": bad})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "connect")
    database = read_url(bad)
    secret = database.parameters["password"]
    assert secret not in f"{outcome}{database!r}"
    assert wrong not in f"{outcome}{database!r}"
    told = database.hide(f"{OperationalError(f'{bad} or {secret} or {wrong}')}")
    assert told == "*** or *** or ***"


def test_a_server_that_is_not_there_is_tried_again(ask):
    outcome = ask("SELECT 1", service_settings={"url": "postgresql://u:pw-of-mine@127.0.0.1:1/d"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "connect")
    assert "pw-of-mine" not in f"{outcome}"


def test_the_address_is_judged_before_a_connection(ask, url):
    guard = Guard()
    port = read_url(url).port
    outcome = ask("SELECT 1", http=guard)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "blocked-address")
    assert guard.asked == ("127.0.0.1", port, True)
    ask("SELECT 1", http=guard, settings={"url": url}, rendered=frozenset({"url"}))
    assert guard.asked == ("127.0.0.1", port, False)


def test_a_socket_has_to_be_written_out(ask, socket_url):
    assert ask("SELECT 1 AS x", settings={"url": socket_url}).output["rows"] == [{"x": 1}]
    outcome = ask("SELECT 1", settings={"url": socket_url}, rendered=frozenset({"url"}))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "blocked-address")


def test_a_name_is_connected_to_by_the_judged_addresses(ask, url):
    named = url.replace("127.0.0.1", "localhost")
    assert ask("SELECT 1 AS x", service_settings={"url": named}).output["rows"] == [{"x": 1}]


def test_without_a_database_it_says_where_to_write_it(ask):
    outcome = ask("SELECT 1", service_settings={})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "no-database")
    assert "service.actions.postgres" in outcome.message
