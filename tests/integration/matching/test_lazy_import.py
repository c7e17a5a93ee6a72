"""The CEL library weighs 50 MB and 25 ms: only a process that has an expression loads it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.router import Router
from hookrt.matching.template import compile_template
assert compile_template("plain", Names()) is None
before = "cel_expr_python.cel" in sys.modules
compile_condition("true", Names())
print(before, "cel_expr_python.cel" in sys.modules)
"""


def test_the_expression_library_is_loaded_with_the_first_expression() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["False", "True"], "")
