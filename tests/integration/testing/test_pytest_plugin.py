"""The fixtures for plugin authors, in a pytest run of their own."""

import subprocess
import sys
import textwrap

import pytest

LOADED = ["-p", "no:hookrt", "-p", "hookrt.testing.pytest_plugin"]
"""The plugin once, whether or not its entry point is installed."""


@pytest.fixture
def run_pytest(tmp_path):
    def run(source, *arguments):
        (tmp_path / "test_it.py").write_text(textwrap.dedent(source))
        command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *LOADED, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_fixtures_are_found_by_themselves(run_pytest):
    done = run_pytest("""
        import httpx
        from hookrt.plugin import Action, Outcome, Settings
        from hookrt.testing import Answer, run_action

        class Ping(Action[Settings]):
            name = "ping"
            async def run(self, call):
                return Outcome.from_response(await call.http.send("GET", Ping.url))

        def test_receiver(hookrt_receiver):
            Ping.url = hookrt_receiver.url + "/x"
            assert run_action(Ping, {}).kind == "done"
            assert hookrt_receiver.requests[0].path == "/x"

        def test_http(hookrt_http):
            Ping.url = "https://example.com"
            hookrt_http.answer(Answer(410))
            assert run_action(Ping, {}, http=hookrt_http).reason == "gone"

        def test_clock(hookrt_clock):
            before = hookrt_clock.now_us()
            hookrt_clock.advance(1)
            assert hookrt_clock.now_us() - before == 1_000_000

        def test_runtime(hookrt_runtime):
            Ping.url = "http://localhost:1"
            runtime = hookrt_runtime("hooks: {a: {on: Go, steps: [{ping: {}}]}}", actions=[Ping])
            [delivery] = runtime.emit("Go")
            assert delivery.last.reason == "blocked-address"
    """)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_a_failing_contract_shows_the_compared_values(run_pytest):
    done = run_pytest("""
        from hookrt.plugin import Action, Outcome, Settings
        from hookrt.testing import ActionContract

        class Nameless(Action[Settings]):
            '''Does nothing.'''
            async def run(self, call):
                return Outcome.retry("odd")
            reasons = {"known": "x"}
            name = "Bad Name"

        class TestNameless(ActionContract):
            action = Nameless
            valid_settings = ({},)
    """)
    assert done.returncode == 1
    assert "its name is 'Bad Name': it must be lower case letters" in done.stdout
    assert "document 'odd' in `reasons`" in done.stdout
    assert "where" in done.stdout


def test_a_run_that_does_not_use_it_loads_nothing_of_hookrt(run_pytest):
    done = run_pytest(
        """
        import sys

        def test_nothing():
            loaded = {name for name in sys.modules if name.startswith("hookrt")}
            assert loaded == {"hookrt", "hookrt.testing", "hookrt.testing.pytest_plugin"}
            assert "pydantic" not in sys.modules
            assert "httpx" not in sys.modules
    """,
        "-p",
        "no:hypothesispytest",
    )
    assert done.returncode == 0, done.stdout + done.stderr
