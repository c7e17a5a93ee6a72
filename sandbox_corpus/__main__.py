"""`python -m sandbox_corpus [FILE ...]`: one line for each unexpected item and a closing count.

Exit code 0 when all is as it should be, 1 when something is not, 2 when it cannot be found out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pwd
import sys
import tempfile
from pathlib import Path

from sandbox_corpus.items import CorpusError, Item, read_items
from sandbox_corpus.judge import Unexpected, Verdict, judge_all
from sandbox_corpus.users import find_interpreter, run_as_nobody
from sandbox_corpus.workers import write_raw_boot

CORPORA = Path(__file__).resolve().parent.parent / "tests" / "corpora"
DEFAULT = ("escapes.yaml", "capabilities.yaml", "found.yaml", "benign.yaml")
BENIGN_SHARE = 0.95
"""The part of the benign items that has to work."""


def main(arguments: list[str]) -> int:
    """Run the corpora as this user and, where this is root, as nobody."""
    parser = argparse.ArgumentParser(prog="python -m sandbox_corpus", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="corpora; without any, those of the project")
    parser.add_argument("--self-only", action="store_true", help="do not run once more as an unprivileged user")
    parser.add_argument("--stdin", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    try:
        texts = json.load(sys.stdin) if wanted.stdin else _read(wanted.files)
        items = [item for name, text in texts.items() for item in read_items(text, name)]
    except (CorpusError, OSError, UnicodeError) as error:
        _say(f"cannot read the corpus: {error}")
        return 2
    status = _run(items)
    if os.geteuid() != 0:
        if not wanted.stdin:
            _say("run as this user only; started by root, it runs as root and as an unprivileged user")
        return status
    return status if wanted.self_only else max(status, _run_as_nobody(json.dumps(texts)))


def _read(files: list[Path]) -> dict[str, str]:
    chosen = files or [CORPORA / name for name in DEFAULT]
    return {str(path): path.read_text(encoding="utf-8") for path in chosen}


def _run(items: list[Item]) -> int:
    """Run the items as this user; 0 when all is as it should be."""
    guarded = asyncio.run(judge_all(item for item in items if not item.raw))
    with tempfile.TemporaryDirectory() as folder:
        boot = write_raw_boot(Path(folder))
        raw = asyncio.run(judge_all((item for item in items if item.raw), boot))
    unexpected = [*guarded.unexpected, *raw.unexpected]
    for item in items:
        whats = [each.what for each in unexpected if each.item is item]
        if whats:
            _say(f"{item.id}: {'; '.join(whats)}")
    return _conclude(items, unexpected, guarded if guarded.isolation else raw)


def _conclude(items: list[Item], unexpected: list[Unexpected], verdict: Verdict) -> int:
    escapes = [item for item in items if not item.benign]
    benign = [item for item in items if item.benign]
    bad = {id(each.item) for each in unexpected}
    wrong = sum(id(item) in bad for item in escapes)
    works = sum(id(item) not in bad for item in benign)
    _say(
        f"as {_user()}, isolation {verdict.isolation}: {len(escapes)} escapes, {wrong} unexpected; "
        f"{len(benign)} benign, {works} work"
    )
    breached = any(each.breach for each in unexpected)
    return int(wrong > 0 or breached or works < BENIGN_SHARE * len(benign))


def _run_as_nobody(text: str) -> int:
    interpreter = find_interpreter()
    if interpreter is None:
        _say("not run as an unprivileged user: nobody can start no Python of this version with these packages here")
        _say("make the virtual environment with one that every user may start, or say --self-only")
        return 2
    return run_as_nobody(interpreter, ["--stdin"], text)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _say(line: str) -> None:
    text = line.encode("unicode_escape", "backslashreplace").decode("ascii")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
