from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

KEY = "whsec_" + "A" * 40
OTHER = "whsec_" + "B" * 40
HOOK = "hooks:\n  one:\n    on: A\n    steps:\n      - post: {settings}\n"


def destination(bench: Any, text: str) -> Any:
    [found] = bench.configuration(f"destinations:\n  crm: {text}\n").destinations.values()
    return found


def test_a_destination_has_what_was_written(bench: Any) -> None:
    found = destination(
        bench,
        f"{{url: https://crm.example.com/v1, signing_secret: {KEY}, rate: 100/s, concurrency: 4, headers: {{X-A: b}}}}",
    )
    assert (found.name, found.url, found.rate, found.concurrency) == ("crm", "https://crm.example.com/v1", 100.0, 4)
    assert found.headers == {"X-A": "b"}
    assert [secret.value for secret in found.signing_secrets] == [KEY]
    assert str(found.place) == "hooks.yaml:2:3"
    assert KEY not in repr(found)


def test_a_signing_secret_is_one_a_list_or_one_with_its_end(bench: Any) -> None:
    url = "url: https://crm.example.com, signing_secret"
    until = datetime(2027, 1, 31, tzinfo=UTC)
    for written, expected in [
        (f"[{KEY}, {OTHER}]", [(KEY, None), (OTHER, None)]),
        (f"{{secret: {KEY}, until: 2027-01-31T00:00:00Z}}", [(KEY, until)]),
        (f"[{KEY}, {{secret: {OTHER}, until: 2027-01-31T01:00:00+01:00}}]", [(KEY, None), (OTHER, until)]),
    ]:
        found = destination(bench, f"{{{url}: {written}}}")
        assert [(secret.value, secret.until) for secret in found.signing_secrets] == expected


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("nonsense!", "2:51", "not whsec_ and base64; make one with"),
        ("whsec_AAAA", "2:51", "24 to 64 random ones"),
        ("[]", "2:51", "at least 1 item"),
        ("5", "2:51", "must be text"),
        (f"{{secret: {KEY}, until: 2027-01-31}}", "2:115", "write a time with its zone"),
        (f"{{secrt: {KEY}}}", "2:52", "did you mean 'secret'?"),
        (f"[{KEY}, whsec_BBBB]", "2:100", "24 to 64 random ones"),
    ],
)
def test_a_bad_signing_secret_is_an_error_that_says_how_to_make_one(
    bench: Any, written: str, place: str, message: str
) -> None:
    text = f"destinations:\n  crm: {{url: https://example.com, signing_secret: {written}}}\n"
    errors = bench.errors(text)
    assert any(error.startswith(place) and message in error for error in errors)


@pytest.mark.parametrize(
    ("written", "per_second"), [("100/s", 100), ("6000/m", 100), ("90/h", 0.025), ("0.5/s", 0.5), ("86400 / d", 1)]
)
def test_a_rate_is_requests_per_time(bench: Any, written: str, per_second: float) -> None:
    assert destination(bench, f"{{url: https://example.com, rate: {written}}}").rate == per_second


@pytest.mark.parametrize("written", ["100", "100/x", "0/s", "-5/s", "fast", "1e9/s", "12:30"])
def test_a_bad_rate_says_how_to_write_one(bench: Any, written: str) -> None:
    [error] = bench.errors(f"destinations:\n  crm: {{url: https://example.com, rate: {written}}}\n")
    assert error.startswith("2:41 ")
    assert "like 100/s" in error


def test_the_key_of_a_destination_is_a_name_or_an_origin(bench: Any) -> None:
    found = bench.configuration("destinations:\n  https://api.example.com: {rate: 5/s}\n").destinations
    assert found["https://api.example.com"].url == "https://api.example.com"
    [error] = bench.errors("destinations:\n  https://API.example.com/v1: {}\n")
    assert error.startswith("2:3 ")
    assert error.endswith("| write https://api.example.com")
    [error] = bench.errors("destinations:\n  Crm: {url: https://a.example}\n")
    assert "is no name for a destination" in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crm: {}", "2:3 destination 'crm' needs `url`"),
        ("crm: https://crm.example.com", "2:8 destination 'crm' must be a mapping"),
        ("crm: {url: crm.example.com}", "2:14 `url` must be an http or https URL"),
        ("crm: {url: ftp://crm.example.com}", "2:14 `url` must be an http or https URL"),
        ("crm: {url: https://user:pw@crm.example.com}", "2:14 `url` must be an http or https URL"),
        ("https://a.example: {url: https://b.example}", "2:28 `url` has another origin than its key"),
        ("crm: {url: https://a.example, concurrency: 0}", "2:46 `concurrency` must be greater than or equal to 1"),
        ("crm: {url: https://a.example, consurrency: 1}", "2:33 destination 'crm' has no setting 'consurrency'"),
        ("crm: {url: https://a.example, headers: {Host: a}}", "2:42 `headers`: Host cannot be set by hand"),
        ("crm: {url: https://a.example, headers: {webhook-id: a}}", "2:42 `headers`: webhook-id cannot be set"),
        ('crm: {url: https://a.example, headers: {X: "a\\nb"}}', "2:42 `headers`: the value of X has a character"),
        ("crm: {url: https://a.example, headers: {a b: c}}", "2:42 `headers`: 'a b' is no header name"),
    ],
)
def test_a_bad_destination_is_an_error_at_its_place(bench: Any, text: str, message: str) -> None:
    [error] = bench.errors(f"destinations:\n  {text}\n")
    assert error.startswith(message)


def test_an_unknown_destination_in_a_step_is_an_error_with_a_did_you_mean(bench: Any) -> None:
    text = "destinations: {crm: {url: https://crm.example.com}}\n" + HOOK.format(settings="{to: crn}")
    assert bench.errors(text) == ["6:20 there is no destination 'crn' | did you mean 'crm'?"]


@pytest.mark.parametrize(("name", "shown"), [("crm", "crm"), ("CRM two", "NAME")])
def test_an_unknown_destination_where_none_is_declared_gets_a_hint_how_to(bench: Any, name: str, shown: str) -> None:
    assert bench.errors(HOOK.format(settings=f"{{to: {name}}}")) == [
        f"5:20 there is no destination {name!r} | declare it below `destinations:`, as `{shown}: {{url: https://...}}`"
    ]


def test_a_destination_with_problems_of_its_own_is_still_known_to_steps(bench: Any) -> None:
    text = "destinations: {crm: {url: nope}}\n" + HOOK.format(settings="{to: crm}")
    [error] = bench.errors(text)
    assert error.startswith("1:27 ")


def test_the_lane_of_a_step_is_what_its_action_says_else_the_hook(bench: Any) -> None:
    text = "destinations: {crm: {url: https://crm.example.com}}\n"
    assert bench.hook(text + HOOK.format(settings="{to: crm}")).steps[0].lane == "crm"
    assert bench.step("- post: https://A.example/x").lane == "https://a.example"
    assert bench.step("- post: https://a.example/${{ hook }}").lane == "https://a.example"
    assert bench.step("- post: ${{ event.data.url }}").lane == "hook:one"
    assert bench.step("- say: x").lane == "hook:one"


def test_what_is_written_out_is_trusted_and_what_an_event_says_is_not(bench: Any) -> None:
    assert bench.step("- post: http://localhost:8080/x").trusted_origins == ("http://localhost:8080",)
    assert bench.step("- post: http://10.0.0.1/${{ event.data.x }}").trusted_origins == ("http://10.0.0.1",)
    for url in ("${{ event.data.url }}", "http://${{ event.data.host }}/", "http://localhost${{ event.data.port }}"):
        assert bench.step(f"- post: {url}").trusted_origins == ()
    text = "destinations: {crm: {url: http://crm.internal/v1}, other: {url: http://other.internal}}\n"
    assert bench.hook(text + HOOK.format(settings="{to: crm}")).steps[0].trusted_origins == ("http://crm.internal",)
    assert bench.step("- snippet: x = 'http://localhost'").trusted_origins == ()


def test_an_origin_that_is_only_sent_in_a_header_is_not_trusted(bench: Any) -> None:
    step = "- post: {url: '${{ event.data.url }}', headers: {origin: 'http://localhost:3000'}}"
    assert bench.step(step).trusted_origins == ()


# Values that are settled when the file is read


def test_secrets_and_variables_of_a_destination_are_settled_at_load(bench: Any) -> None:
    bench.env.update(HOOKRT_SECRET_KEY=KEY, CRM="crm.example.com")
    written = '{url: "https://${{ env.CRM }}/v1", signing_secret: "${{ secrets.KEY }}"}'
    found = destination(bench, written)
    assert found.url == "https://crm.example.com/v1"
    assert [secret.value for secret in found.signing_secrets] == [KEY]


def test_an_event_is_not_known_when_the_file_is_read(bench: Any) -> None:
    for name in ("event.type", "hook"):
        [error] = bench.errors(f'destinations:\n  crm: {{url: "https://${{{{ {name} }}}}"}}\n')
        assert error.startswith("2:27 `")
        assert "is not known here: only `env` and `secrets` are" in error
    errors = bench.errors('destinations:\n  crm: {url: "https://${{ event.id }}/${{ env.A }}/${{ hook }}"}\n')
    assert [error.partition(" is not")[0] for error in errors] == ["2:27 `event`", "2:56 `hook`"]


def test_a_variable_that_is_not_set_is_an_error_at_its_place(bench: Any) -> None:
    [error] = bench.errors('destinations:\n  crm: {url: "https://${{ env.CRM }}"}\n')
    assert error.startswith("2:27 ")
    assert "env.CRM" in error


def test_a_bad_value_of_a_secret_is_an_error_that_does_not_show_it(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_KEY"] = "much-too-short!"
    text = 'destinations:\n  crm: {url: https://a.example, signing_secret: "${{ secrets.KEY }}"}\n'
    loaded = bench.load(text)
    assert loaded.configuration is None
    assert "much-too-short!" not in "".join(str(problem) for problem in loaded.problems)


def test_a_secret_that_is_written_into_the_file_is_masked_and_not_shown_with_problems(bench: Any) -> None:
    text = f"destinations:\n  crm: {{url: https://a.example, signing_secret: {KEY}}} #x\n"
    assert bench.configuration(text).secrets.masker.mask(f"it is {KEY}") == "it is ***"
    unknown = f"# {KEY}\n{text}nonsense: {KEY}\n"
    assert KEY not in "".join(str(problem) for problem in bench.load(unknown).problems)
