"""How the documentation is built: `make docs`. Warnings are errors there."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from generate import write_reference

project = "hookrt"
author = copyright = "The hookrt developers"
html_title = "hookrt"
html_theme = "furo"
html_copy_source = False
html_use_index = html_domain_indices = False
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_theme_options = {"navigation_with_keys": True}
smartquotes = False  # `--once` stays what one types

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["**/.*"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
# Files beside the documentation are shown where they are, not as pages.
suppress_warnings = ["myst.xref_missing"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True

write_reference(DOCS / "reference" / "generated")
