"""The action `file`: what it writes, and what it refuses."""

import asyncio
import json
import os
import threading

import pytest
from hookrt_file import AppendToFile
from hookrt_file.append import MAX_NAMES, PathRefused, append_line, split_path

from hookrt.plugin import OutcomeKind, PluginError
from hookrt.testing import ActionContract, attempt, call_for, event, open_action, run_action

DIRECTORY = {"directory": "audit"}


class TestContract(ActionContract):
    action = AppendToFile
    valid_settings = (
        {"path": "a.jsonl"},
        {"path": "orders/2025/a b.jsonl", "record": {"id": 1}},
        {"path": "a.jsonl", "record": [1.5, None, "ü"]},
    )
    invalid_settings = ({}, {"path": 1}, {"path": "../a"}, {"path": "/etc/passwd"}, {"path": ""}, {"path": "a//b"})

    def make_service_settings(self, tmp_path):
        return {"directory": str(tmp_path / "audit"), "max_line": "64KiB"}


def append(tmp_path, settings, happened=None):
    return run_action(AppendToFile, settings, event=happened or event(), base_dir=tmp_path, service_settings=DIRECTORY)


def lines(tmp_path, name):
    return [json.loads(line) for line in (tmp_path / "audit" / name).read_text().splitlines()]


def test_the_event_is_the_default_record(tmp_path):
    happened = event("User.Created", {"name": "Jürgen\u2028"}, id="e1")
    outcome = append(tmp_path, {"path": "users.jsonl"}, happened)
    assert outcome.kind is OutcomeKind.DONE
    assert outcome.output == {"path": "users.jsonl", "bytes": (tmp_path / "audit" / "users.jsonl").stat().st_size}
    (line,) = [json.loads(one) for one in (tmp_path / "audit" / "users.jsonl").read_bytes().split(b"\n")[:-1]]
    assert line == happened.as_dict()


def test_lines_are_appended_in_order(tmp_path):
    for number in range(3):
        append(tmp_path, {"path": "a/b.jsonl", "record": {"n": number}})
    assert lines(tmp_path, "a/b.jsonl") == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/a", "a/", "a//b", "../a", "a/../../b", "a/./b", "a\0b", "a\nb", "\udc80", "x" * 256]
)
def test_a_path_that_is_none_or_leads_out_is_refused(path):
    with pytest.raises(PathRefused):
        split_path(path)


def test_a_path_of_too_many_names_is_refused():
    assert len(split_path("/".join("a" * MAX_NAMES))) == MAX_NAMES
    with pytest.raises(PathRefused):
        split_path("/".join("a" * (MAX_NAMES + 1)))


def test_a_path_made_up_by_an_event_is_rejected_and_nothing_is_written(tmp_path):
    outcome = append(tmp_path, {"path": "../outside.jsonl"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-path")
    assert not (tmp_path / "outside.jsonl").exists()


@pytest.mark.parametrize("path", ["link/x.jsonl", "file_link", "folder", "pipe", "plain/x.jsonl"])
def test_links_folders_and_pipes_are_no_files_to_append_to(tmp_path, path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jsonl").write_text("")
    audit = tmp_path / "audit"
    (audit / "folder").mkdir(parents=True)
    (audit / "plain").write_text("")
    (audit / "link").symlink_to(outside)
    (audit / "file_link").symlink_to(outside / "x.jsonl")
    os.mkfifo(audit / "pipe")
    outcome = append(tmp_path, {"path": path})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-path")
    assert (outside / "x.jsonl").read_text() == ""


def test_a_line_that_a_crash_left_open_is_closed_first(tmp_path):
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "a").write_bytes(b'{"half":')
    append(tmp_path, {"path": "a", "record": 1})
    assert (tmp_path / "audit" / "a").read_bytes() == b'{"half":\n1\n'


def test_a_full_disk_is_worth_another_try_and_leaves_no_half_line(tmp_path):
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "a").write_bytes(b"1\n")
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails instead of the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        outcome = append(tmp_path, {"path": "a", "record": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "disk-full")
    assert (tmp_path / "audit" / "a").read_bytes() == b"1\n"


def test_a_record_that_is_too_long_is_rejected(tmp_path):
    outcome = append(tmp_path, {"path": "a", "record": "x" * (1024 * 1024)})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-record")


def test_without_a_directory_it_does_not_open(tmp_path):
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="directory"):
        run_action(AppendToFile, {"path": "a"}, base_dir=tmp_path)


def test_a_directory_that_cannot_be_made_is_said_in_one_sentence(tmp_path):
    (tmp_path / "audit").write_text("a file")
    with pytest.raises(PluginError, match="directory of the action `file` cannot be made"):
        append(tmp_path, {"path": "a"})


def test_lines_of_many_threads_and_attempts_stay_whole(tmp_path):
    def append_many(name):
        for number in range(50):
            append_line(tmp_path, "a", json.dumps([name, number, "x" * 5000]).encode() + b"\n", sync=False)

    threads = [threading.Thread(target=append_many, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [tuple(json.loads(line)[:2]) for line in (tmp_path / "a").read_text().splitlines()]
    assert sorted(written) == [(name, number) for name in "abcd" for number in range(50)]


def test_a_file_may_be_shared_by_steps(tmp_path):
    async def both():
        async with open_action(AppendToFile, base_dir=tmp_path, service_settings=DIRECTORY) as opened:
            calls = [call_for(opened, {"path": "a", "record": number}) for number in range(20)]
            return await asyncio.gather(*(attempt(opened, call) for call in calls))

    assert all(outcome.kind is OutcomeKind.DONE for outcome in asyncio.run(both()))
    assert sorted(lines(tmp_path, "a")) == list(range(20))
