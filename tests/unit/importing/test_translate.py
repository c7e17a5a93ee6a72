"""Whole hooks of adnanh/webhook: commands, answers, names and notes, key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hookrt.importing.adnanh.translate import translate
from hookrt.importing.notes import Imported, Note

SECRET = "the-secret-of-a-sender"
RULE = {"match": {"type": "value", "value": SECRET, "parameter": {"source": "header", "name": "X-Token"}}}


def of(source: str, name: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "name": name, **more}


def hook(**fields: Any) -> dict[str, Any]:
    written = {name.replace("_", "-"): value for name, value in fields.items()}
    return {"id": "one", "execute-command": "/bin/run", "trigger-rule": RULE, **written}


@pytest.fixture
def imported(tmp_path: Path) -> Any:
    def run(*hooks: Any) -> Imported:
        text = hooks[0] if isinstance(hooks[0], str) else json.dumps(hooks)
        (tmp_path / "hooks.json").write_text(text)
        return translate(tmp_path / "hooks.json")

    return run


def notes(found: Imported) -> list[Note]:
    return [note for note in found.notes if note.hook is not None and "the secret that stands" not in note.text]


def step(found: Imported) -> list[str]:
    lines = found.text.splitlines()
    return [line.removeprefix(" " * 10) for line in lines[lines.index("      - command:") + 1 :]]


def test_fixed_arguments_are_written_as_they_are(imported: Any) -> None:
    found = imported(hook(pass_arguments_to_command=[of("string", "a b"), of("request", "method"), of("string", "")]))
    assert step(found) == ['argv: [/bin/run, "a b", POST, ""]']
    assert notes(found) == []


def test_values_of_the_event_go_through_variables(imported: Any) -> None:
    arguments = [of("payload", "a.b"), of("string", "it's"), of("entire-payload", "")]
    found = imported(hook(pass_arguments_to_command=arguments, pass_environment_to_command=[of("payload", "a")]))
    assert step(found) == [
        """argv: [/bin/sh, "-c", 'exec /bin/run "$ARG_1" ''it''"''"''s'' "$ARG_3"']""",
        "env:",
        '  ARG_1: ${{ string(get(event.data, "a.b", "")) }}',
        '  ARG_3: ${{ event.data }}${{ "" }}',
        '  HOOK_a: ${{ string(get(event.data, "a", "")) }}',
    ]


def test_a_program_is_relative_to_its_folder(imported: Any) -> None:
    found = imported(hook(execute_command="bin/run", command_working_directory="/srv/app"))
    assert step(found) == ["argv: [/srv/app/bin/run]", "cwd: /srv/app"]
    assert step(imported(hook(execute_command="run"))) == ["argv: [run]"]


def test_one_value_of_the_request_is_the_subject(imported: Any) -> None:
    values = [of("header", "X-Event"), of("header", "x-event")]
    found = imported(hook(pass_arguments_to_command=values))
    text = """subject: 'get(headers, "x-event", "") != "" ? get(headers, "x-event", "") : null'"""
    assert text in found.text
    assert "255" in notes(found)[0].text
    second = imported(hook(pass_arguments_to_command=[*values, of("url", "x")]))
    assert second.left_out == 1
    assert "one value of the headers and the query" in notes(second)[0].text


def test_what_the_sender_is_answered_is_kept(imported: Any) -> None:
    headers = [{"name": "X-A", "value": "b"}, {"name": "Content-Length", "value": "1"}]
    found = imported(hook(response_message="hi", response_headers=headers, success_http_response_code=201))
    assert "respond: {status: 201, headers: {X-A: b}, body: hi}" in found.text
    assert ["Content-Length" in note.text for note in notes(found)] == [True]
    assert "respond" not in imported(hook(success_http_response_code=999)).text
    assert "not 302" in notes(imported(hook(success_http_response_code=302)))[0].text
    assert "not with 403" in notes(imported(hook(trigger_rule_mismatch_http_response_code=403)))[0].text


def test_names_are_made_fit_and_told(imported: Any) -> None:
    found = imported(hook(id="Deploy/Main"), hook(id="http"), hook(id="deploy-main"))
    assert [f"\n    on: {name}\n" in found.text for name in ("deploy-main", "http-2", "deploy-main-2")] == [True] * 3
    assert "what is /hooks/Deploy/Main at webhook is /in/deploy-main here" in [note.text for note in notes(found)]


def test_keys_count_in_any_case_and_unknown_ones_are_noted(imported: Any) -> None:
    found = imported({"ID": "one", "Execute-Command": "/x", "Trigger-Rule": RULE, "trigger-rules": {}})
    assert found.hooks == 1
    assert [note.text for note in notes(found)] == ["webhook ignores the key 'trigger-rules', and so is it here"]


def test_every_note_has_its_number_its_file_and_its_line(imported: Any) -> None:
    found = imported('[\n {"id": "one",\n  "execute-command": "/x"},\n {"id": "two"}\n]')
    assert [note.number for note in found.notes] == list(range(1, len(found.notes) + 1))
    assert [(note.hook, note.place.line) for note in notes(found)] == [("one", 2), ("two", 4)]
    assert all(note.place.file.endswith("hooks.json") for note in found.notes)
    for note in found.notes:
        assert f"# {note.number}. {note.kind}: " in found.text


def test_one_secret_has_one_name_and_variables_have_names_of_their_own(imported: Any) -> None:
    other = json.loads(json.dumps(RULE).replace(SECRET, "of a variable"))
    text = json.dumps([hook(), hook(id="two"), hook(id="three", trigger_rule=other)])
    found = imported(text.replace("of a variable", '{{ getenv "ONE_SECRET" }}'))
    assert found.secrets == {"ONE_SECRET": SECRET}
    assert found.text.count("${{ secrets.ONE_SECRET }}") == 2
    assert "${{ secrets.ONE_SECRET_2 }}" in found.text
    assert "set HOOKRT_SECRET_ONE_SECRET_2 to what the variable ONE_SECRET holds" in [
        note.text for note in notes(found)
    ]
    assert SECRET not in found.text + repr(found)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"include_command_output_in_response": True}, "before the command runs"),
        ({"pass_file_to_command": [of("payload", "a")]}, "as files"),
        ({"parse_parameters_as_json": [of("payload", "payload")]}, "stays a text"),
        ({"incoming_payload_content_type": "application/xml"}, "own content type"),
        ({"http_methods": ["GET"]}, "POST only"),
        ({"execute_command": ""}, "runs nothing"),
        ({"execute_command": "{{ .Command }}"}, "template"),
        ({"pass_arguments_to_command": [of("raw-request-body", "")]}, "not its bytes"),
        ({"pass_arguments_to_command": [of("entire-headers", "")]}, "no headers"),
        ({"pass_arguments_to_command": [of("payload", "a", base64decode=True)]}, "base64decode"),
        ({"pass_arguments_to_command": [of("request", "remote-addr")]}, "address of its sender"),
        ({"pass_arguments_to_command": [of("elsewhere", "x")]}, "no source 'elsewhere'"),
        ({"pass_arguments_to_command": [of("payload", "x" * 5000)]}, "no expression"),
        ({"pass_arguments_to_command": "text"}, "must be a list"),
        ({"trigger_rule": "text"}, "must be a mapping"),
        ({"success_http_response_code": "many"}, "must be a number"),
        ({"id": None}, "no `id`"),
    ],
)
def test_what_means_something_else_is_left_out_with_its_reason(imported: Any, fields: dict[str, Any], why: str) -> None:
    found = imported(hook(**fields))
    assert (found.hooks, found.left_out) == (0, 1)
    [note] = notes(found)
    assert note.kind == "left out"
    assert why in note.text
    assert found.text.endswith("hooks: {}\n")
    assert found.secrets == {}


def test_the_second_hook_of_an_id_is_left_out(imported: Any) -> None:
    found = imported(hook(), hook())
    assert (found.hooks, found.left_out) == (1, 1)
