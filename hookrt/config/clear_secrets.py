"""Secrets that stand in a file in clear: found by the shapes that they have, so that nobody commits one unawares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hookrt.config.nodes import ListNode, MapNode, Node, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.secrets.masking import Masker

_SHAPES = (
    (r"whs[ek]c?_[A-Za-z0-9+/=]{16,}", "a signing secret"),
    (r"(?:(?<=Bearer )|(?<=Basic ))[A-Za-z0-9._~+/=-]{16,}", "a token"),
    (r"https://hooks\.slack\.com/services/\w+/\w+/\w{8,}", "the address of a Slack webhook"),
    (r"xox[abeoprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"(?:sk|rk)_live_[A-Za-z0-9]{10,}", "a Stripe key"),
    (r"gh[opsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,}", "a GitHub token"),
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}", "an AWS key"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+", "a private key"),
    (r"[a-z][a-z0-9+.-]*://[^\s/:@{}]+:[^\s/@{}]+@", "a password in a URL"),
)
_ANY = re.compile("|".join(f"(?P<s{number}>{shape})" for number, (shape, _) in enumerate(_SHAPES)))
_EXAMPLES = "tests"


def warn_of_clear_secrets(node: Node, masker: Masker, log: ProblemLog) -> None:
    """Warn of each text that looks like a secret, and mask it from then on; what a hook's `tests` say is no secret."""
    for text in _texts(node):
        found = _ANY.search(text.text) if len(text.text) > len("whsec_") else None
        if found is not None and found.lastgroup is not None:
            masker.add(found[0])
            what = _SHAPES[int(found.lastgroup.removeprefix("s"))][1]
            hint = "write ${{ secrets.NAME }} in its place, and HOOKRT_SECRET_NAME=... into the environment"
            log.warn(text, f"{what} stands here in clear: whoever reads this file has it", hint)


def _texts(node: Node) -> Iterator[TextNode]:
    if isinstance(node, TextNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, MapNode):
        for name, entry in node.entries.items():
            if name != _EXAMPLES:
                yield from _texts(entry.value)
