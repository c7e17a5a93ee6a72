"""The service's log in a process of its own: one format for everybody, masked, without tracebacks."""

import json
import os
import pty
import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import logging, sys, warnings
from hookrt.observability.log import configure_logging, get_log
from hookrt.secrets.masking import Masker
masker = Masker()
masker.add("s3cret value")
"""


def run(program, **options):
    source = BEGIN + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60, **options
    )


def json_lines(program, **options):
    done = run(program, **options)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_json_lines_are_for_machines():
    (line,) = json_lines("""
        configure_logging("auto", "info", masker.mask)
        get_log("delivery", hook="welcome").warning("attempt failed", reason="status", token="s3cret value")
    """)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "warning",
        "event": "attempt failed",
        "logger": "hookrt.delivery",
        "hook": "welcome",
        "reason": "status",
        "token": "***",
    }


def test_libraries_warnings_and_plugins_join_the_services_format():
    lines = json_lines("""
        configure_logging("json", "info", masker.mask)
        import structlog
        structlog.get_logger("hookrt_sms").info("sent", to="+49", token="s3cret value")
        logging.getLogger("some.library").info("hello %s", "s3cret value")
        warnings.warn("careful")
    """)
    assert [(line["logger"], line["event"]) for line in lines[:2]] == [
        ("hookrt_sms", "sent"),
        ("some.library", "hello ***"),
    ]
    assert lines[0]["token"] == "***"
    assert lines[2]["logger"] == "py.warnings"
    assert "careful" in lines[2]["event"]


def test_libraries_that_tell_of_every_request_are_quiet():
    assert (
        json_lines("""
        configure_logging("json", "debug", masker.mask)
        for name in ("httpx", "httpcore.http11", "asyncio"):
            logging.getLogger(name).info("GET https://example.com/?token=abc")
    """)
        == []
    )


def test_a_server_writes_in_the_services_format():
    lines = json_lines("""
        import asyncio, uvicorn
        configure_logging("json", "info", masker.mask)

        async def app(scope, receive, send):
            raise RuntimeError("broken: s3cret value")

        async def serve():
            server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
            task = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0)
            port = server.servers[0].sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            await reader.readline()
            writer.close()
            server.should_exit = True
            await task

        asyncio.run(serve())
    """)
    assert all(line["logger"].startswith("uvicorn") for line in lines)
    (broken,) = [line for line in lines if line["level"] == "error"]
    assert broken["error"].startswith("RuntimeError: broken: ***")
    assert "Traceback" not in json.dumps(lines)


def test_an_exception_is_one_field_and_no_traceback():
    program = """
        configure_logging("json", {level!r}, masker.mask)
        try:
            raise ValueError("no\\nluck")
        except ValueError:
            get_log("x").exception("failed")
    """
    (line,) = json_lines(program.format(level="info"))
    assert line["error"] == "ValueError: no luck (<string>:10)"
    assert "frames" not in line
    (line,) = json_lines(program.format(level="debug"))
    assert line["frames"] == ["<string>:10 <module>"]


def test_the_level_holds_and_configuring_again_replaces_it():
    lines = json_lines("""
        configure_logging("json", "error", masker.mask)
        get_log("x").warning("no")
        configure_logging("json", "debug", masker.mask)
        get_log("x").debug("yes")
    """)
    assert [line["event"] for line in lines] == ["yes"]


def test_the_console_is_for_people_and_without_colours_in_a_pipe():
    done = run("""
        configure_logging("console", "info", masker.mask)
        get_log("x").info("started", url="http://127.0.0.1:4665", note="a b")
    """)
    assert done.stderr.endswith(
        '[info     ] started                  (hookrt.x) url=http://127.0.0.1:4665 note="a b"\n'
    )
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_wants_none(variables, coloured):
    source = BEGIN + "configure_logging('auto', 'info', masker.mask)\nget_log('x').info('started')"
    master, slave = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    subprocess.run([sys.executable, "-c", source], stderr=slave, check=True, env=environment | variables)
    os.close(slave)
    written = os.read(master, 10_000).decode()
    os.close(master)
    assert "started" in written
    assert ("\x1b[" in written) is coloured


def test_a_log_that_nobody_reads_any_more_does_not_end_the_process():
    source = BEGIN + textwrap.dedent("""
        configure_logging("json", "info", masker.mask)
        for number in range(1000):
            get_log("x").info("line", text="x" * 1000)
        print("alive")
    """)
    reader, writer = os.pipe()
    os.close(reader)
    env = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=writer, check=True, text=True)
    os.close(writer)
    assert done.stdout == "alive\n"


def test_a_stream_that_cannot_write_a_character_still_gets_the_line():
    done = run(
        """
        configure_logging("console", "info", masker.mask)
        get_log("x").info("größe", snow="\\u2603")
        """,
        env={**os.environ, "PYTHONIOENCODING": "ascii:backslashreplace", "PYTHONUTF8": "0"},
    )
    assert "gr\\xf6\\xdfe" in done.stderr
    assert "\\u2603" in done.stderr
