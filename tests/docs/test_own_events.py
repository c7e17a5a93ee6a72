"""The docs list hookrt's own events as the code does."""

import re
from pathlib import Path

from hookrt.model.own_events import OWN_EVENTS

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_table_of_own_events_is_the_list_of_the_code() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").partition("## Events of hookrt itself\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(hookrt\.\S+)` \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(name, event.description) for name, event in OWN_EVENTS.items()]
