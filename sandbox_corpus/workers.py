"""Scripts that start workers without the language policy; hookrt itself has no switch for that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hookrt.actions.python_snippet.spawn import BOOT

LAYERS = ("user", "namespaces", "capabilities", "rlimits", "landlock", "seccomp")
"""The walls, in the order in which they are raised."""

_SCRIPT = """\
import sys
sys.path.insert(0, {here!r})
from unguarded import answer
answer({boot!r}, {layers!r})
"""


def write_raw_boot(folder: Path, layers: Sequence[str] | None = None) -> Path:
    """A boot script for a pool whose workers run raw snippets behind these layers; without `layers`, behind all."""
    unknown = set(layers or ()) - set(LAYERS)
    if unknown:
        raise ValueError(f"there is no layer {', '.join(sorted(unknown))}")
    script = folder / f"raw_{'all' if layers is None else '_'.join(layers) or 'none'}.py"
    wanted = None if layers is None else list(layers)
    text = _SCRIPT.format(here=str(Path(__file__).resolve().parent), boot=str(BOOT.resolve().parent), layers=wanted)
    script.write_text(text, encoding="utf-8")
    return script
