"""Settings that are HTML: what an expression gives is text in them, and can be nothing else."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from hookrt.matching.template import Template, text_of
from hookrt.model.hook import Scope


@dataclass(frozen=True, slots=True)
class HtmlTemplate(Template):
    """As a template, but `<`, `>`, `&` and both quotes of a value are escaped, also where it is all there is."""

    def render(self, scope: Scope) -> Any:
        """The HTML for this event; raises ExpressionError, with the expression's place in the text."""
        return "".join(piece if isinstance(piece, str) else html.escape(text_of(piece, scope)) for piece in self.pieces)


def escaping_html(template: Template) -> HtmlTemplate:
    """The same template, escaping the values that it puts in."""
    return HtmlTemplate(template.text, template.pieces, template.mentions, "string")


def opens_markup(template: Template) -> bool:
    """Whether a value would stand right after a `<`: there it names a tag, or whom Slack calls, escaped or not."""
    pieces = template.pieces
    return any(isinstance(piece, str) and piece.endswith(("<", "</")) for piece in pieces[:-1])
