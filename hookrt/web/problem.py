"""How a request to the HTTP door ends early: with a problem document."""

from __future__ import annotations

from hookrt.model.problem_document import CONTENT_TYPE, ProblemDocument, describe_error, unexpected

__all__ = ["CONTENT_TYPE", "ProblemDocument", "Refusal", "describe_error", "unexpected"]


class Refusal(Exception):  # noqa: N818 - the end of a request, not a fault of the program
    """The request ends here, answered with this document."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document.detail)
        self.document = document
