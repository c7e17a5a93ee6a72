"""Lets these tests run from the working tree too, where the plugin is not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
