"""`hookrt decide` and what the other commands show of decisions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]

HOOKS = """\
hooks:
  guard:
    on: PreRegister
    mode: decide
    when: event.data.age < 18
    steps: [{log: no answer}]
"""


def test_decide_says_what_the_hooks_say_and_ends_with_it(serve: Run, hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    service = serve("--port", "0")
    allowed = hookrt("decide", "PreRegister", "--data", '{"age": 1.80e1}', "-o", "json", env=service.env)
    assert allowed.returncode == 0, allowed.stderr
    assert json.loads(allowed.stdout)["decision"] == "allow"
    denied = hookrt("decide", "PreRegister", "--data", '{"age": 3}', "--timeout", "20s", env=service.env)
    assert denied.returncode == 1
    assert re.match(r"deny  dec_\w+  no answer: bad-answer", denied.stdout)
    assert "guard" in denied.stdout
    assert "by its on_error: the answer is empty" in denied.stdout
    listed = hookrt("deliveries", "list", env=service.env).stdout
    assert "dead" in listed
    assert "deny: bad-answer" in listed
    shown = hookrt("hooks", "show", "guard", env=service.env).stdout
    assert "guard  decides" in shown
    assert "without an answer it says deny" in shown
