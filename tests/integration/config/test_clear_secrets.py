"""A secret that stands in a file in clear is warned of, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

SHAPES = [
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a signing secret"),
    ("Bearer abcdef0123456789", "a token"),
    ("Basic dXNlcjpwYXNzd29yZA==", "a token"),
    ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijkl", "the address of a Slack webhook"),
    ("xoxb-1234567890-abcdef", "a Slack token"),
    ("sk_live_abcdefghijkl", "a Stripe key"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "a GitHub token"),
    ("AKIAABCDEFGHIJKLMNOP", "an AWS key"),
    ("postgres://app:hunter2@db/app", "a password in a URL"),
]


@pytest.mark.parametrize(("value", "what"), SHAPES)
def test_what_looks_like_a_secret_is_warned_of_and_not_shown(bench: Any, value: str, what: str) -> None:
    loaded = bench.load(bench.with_step(f"- say: '{value}'"))
    [problem] = loaded.problems
    assert problem.message == f"{what} stands here in clear: whoever reads this file has it"
    assert "${{ secrets.NAME }}" in (problem.hint or "")
    assert value.split()[-1] not in str(problem)
    assert loaded.configuration is not None


@pytest.mark.parametrize(
    "value",
    [
        "whsec_...",
        "Bearer ${{ secrets.TOKEN }}",
        "postgres://app:${{ secrets.PW }}@db/app",
        "https://a.example:8443/@x",
    ],
)
def test_what_names_a_secret_or_none_is_not_warned_of(bench: Any, value: str) -> None:
    bench.env.update(HOOKRT_SECRET_TOKEN="a", HOOKRT_SECRET_PW="b")
    assert bench.warnings(bench.with_step(f"- say: '{value}'")) == []


def test_an_example_is_no_secret(bench: Any) -> None:
    text = (
        bench.with_step("- say: hello")
        + "\n    tests:\n      - event: {type: A.B, data: {token: Bearer abcdef0123456789}}\n"
    )
    assert not [one for one in bench.warnings(text) if "in clear" in one]
