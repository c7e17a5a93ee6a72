"""Hooks that use a real PostgreSQL, in a whole runtime; and its TLS."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hookrt_postgres import Postgres, PostgresListen

from hookrt.plugin import OutcomeKind
from hookrt.testing import call_for, open_action, real_http, run_action

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PASSWORDS = ("open:sesame", "open%3Asesame")
PATIENCE_S = 30


@pytest.fixture
def serve(hookrt_runtime, url):
    """Starts a runtime with hooks that know the database as the secret SHOP_DB."""

    def start(hooks, shop=url):
        return hookrt_runtime(hooks, actions=[Postgres], sources=[PostgresListen], secrets={"SHOP_DB": shop})

    return start


def wait_until(find):
    """What is found, as soon as it is something."""
    end = time.monotonic() + PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def is_listening(execute):
    ours = "application_name = 'hookrt' AND query LIKE 'LISTEN%' AND state = 'idle'"
    return bool(execute(f"SELECT 1 FROM pg_stat_activity WHERE {ours}"))


def test_the_first_example_of_the_readme_remembers_each_order_once(serve, execute):
    execute("DROP TABLE IF EXISTS paid_orders")
    execute("CREATE TABLE paid_orders (event text PRIMARY KEY, customer text, total numeric, whole jsonb)")
    runtime = serve(EXAMPLES[0])
    data = {"customer": "'); DROP TABLE paid_orders; --", "total": 12.5}
    [delivered] = runtime.emit("Order.Paid", data, id="o1")
    assert delivered.status == "succeeded", delivered
    [again] = runtime.emit("Order.Paid", data, id="o1", source="another")
    assert again.status == "succeeded", again
    [(event, customer, total, whole)] = execute("SELECT * FROM paid_orders")
    assert (event, customer, float(total), whole) == ("o1", data["customer"], 12.5, data)


def test_the_second_example_of_the_readme_counts_products(serve, execute):
    execute("DROP TABLE IF EXISTS products")
    execute("CREATE TABLE products (id text, name text, stock int)")
    execute("INSERT INTO products VALUES ('a', 'apples', 2), ('b', 'beans', 90), ('c', 'corn', 1)")
    [delivered] = serve(EXAMPLES[1]).emit("Stock.Counted", {"ids": ["a", "b"]})
    assert "1 products run out" in delivered.last.logs[0]


def test_the_third_example_of_the_readme_hears_of_orders(serve, execute):
    runtime = serve(EXAMPLES[2])
    wait_until(lambda: is_listening(execute))
    execute("""NOTIFY orders, '{"id": 7}'""")
    [delivered] = wait_until(runtime.deliveries)
    delivered = wait_until(lambda: next((one for one in runtime.deliveries() if one.status.final), None))
    assert "order 7 has changed" in delivered.last.logs[0]


def test_a_source_listens_again_after_the_server_was_restarted(serve, execute, postgres_server, caplog):
    runtime = serve(EXAMPLES[2])
    wait_until(lambda: is_listening(execute))
    postgres_server.stop()
    postgres_server.start()
    wait_until(lambda: is_listening(execute))
    execute("""NOTIFY orders, '{"id": 8}'""")
    wait_until(runtime.deliveries)
    assert not any(one in caplog.text for one in PASSWORDS)


def test_the_password_is_in_no_record_of_a_delivery(serve, url):
    hooks = 'hooks: {a: {on: Go, retry: none, steps: [{postgres: {sql: SELECT 1, url: "${{ secrets.SHOP_DB }}"}}]}}'
    allowed = "service: {egress: {allow: [127.0.0.1]}}\n" + hooks
    [delivered] = serve(allowed).emit("Go")
    assert delivered.status == "succeeded", delivered
    wrong = url.replace("open%3Asesame", "another%3Apassword")
    [delivered] = serve(allowed, wrong).emit("Go")
    assert (delivered.status, delivered.last.reason) == ("dead", "connect")
    assert "password authentication failed" in delivered.last.message
    assert not any(one in f"{delivered}" for one in (*PASSWORDS, "another:password", "another%3Apassword"))
    [delivered] = serve(hooks).emit("Go")
    assert delivered.last.reason == "blocked-address"


def test_no_more_connections_are_open_than_the_service_says(serve, execute):
    hooks = """
service: {actions: {postgres: {url: "${{ secrets.SHOP_DB }}", connections: 2}}}
hooks:
  count:
    on: Go
    steps:
      - id: found
        postgres: SELECT count(*)::int AS n, pg_sleep(0.1)::text FROM pg_stat_activity WHERE application_name = 'hookrt'
      - log: ${{ steps.found.output.rows[0].n }}
"""
    runtime = serve(hooks)
    with ThreadPoolExecutor(6) as emitters:
        ended = [one for found in emitters.map(runtime.emit, ["Go"] * 6) for one in found]
    assert [one.status for one in ended] == ["succeeded"] * 6
    assert {one.last.logs[0].split()[-1] for one in ended} <= {"1", "2"}


class Noting:
    """Notes how an attempt's time is put off."""

    def __init__(self):
        self.told = []

    def hold(self):
        self.told.append("hold")

    def begin(self):
        self.told.append("begin")


def test_the_time_of_an_attempt_does_not_run_while_it_waits_for_a_connection(url):
    async def run():
        async with (
            open_action(Postgres, service_settings={"url": url, "connections": 1}) as opened,
            real_http() as http,
        ):
            calls = [call_for(opened, {"sql": "SELECT pg_sleep(0.1)::text"}, http=http) for _ in range(2)]
            for call in calls:
                call.patience = Noting()
            outcomes = await asyncio.gather(*map(opened.run, calls))
            return [one.kind for one in outcomes], [call.patience.told for call in calls]

    assert asyncio.run(run()) == ([OutcomeKind.DONE] * 2, [[], ["hold", "begin"]])


@pytest.mark.parametrize(
    ("host", "authority", "said"),
    [
        ("localhost", "ca.pem", None),
        ("localhost", "other.pem", "certificate verify failed"),
        ("127.0.0.1", "ca.pem", "does not match host name"),
    ],
)
def test_tls_is_verified_where_the_url_says_so(host, authority, said, url, postgres_server):
    chosen = url.replace("127.0.0.1", host) + f"?sslmode=verify-full&sslrootcert={postgres_server.folder}/{authority}"
    outcome = run_action(
        Postgres,
        {"sql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"},
        service_settings={"url": chosen},
    )
    if said is None:
        assert outcome.output["rows"] == [{"ssl": True}]
    else:
        assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "connect")
        assert said in outcome.message
        assert not any(one in outcome.message for one in PASSWORDS)
