"""Settings of the service that only their users can judge: the store's URL, the host, the rules of the way out."""

from __future__ import annotations

import ipaddress
import re
import socket

from hookrt.config.nodes import ListNode, MapNode, Node
from hookrt.config.problem_log import ProblemLog
from hookrt.config.service import ServiceSettings
from hookrt.config.suggest import shorten
from hookrt.errors import StoreError

_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_PORT = re.compile(r"(\[[^]]*\]|[^:]*):(\d+)")


def check_service_values(settings: ServiceSettings, node: MapNode, log: ProblemLog) -> None:
    """Report what a start would refuse wherever it happens, each at its place; what depends on the machine is left."""
    _check_store(settings.store, node.get("store") or node, log)
    _check_host(settings.host, node.get("host") or node, log)
    if settings.egress.allow or settings.egress.deny:
        _check_egress(settings, node, log)


def _check_store(url: str | None, at: Node, log: ProblemLog) -> None:
    if url is None:
        return
    from hookrt.store.open import file_of  # noqa: PLC0415 - all stores, which few files need to be read

    try:
        file_of(url)
    except StoreError as error:
        log.error(at, str(error).replace(repr(url), "this") if _is_hidden(at) else str(error))


def _check_host(host: str, at: Node, log: ProblemLog) -> None:
    if not _is_host(host):
        shown = "this" if _is_hidden(at) else shorten(host)
        log.error(at, f"{shown} is no host: it is an address or a name", _way_out(host))


def _is_hidden(at: Node) -> bool:
    """Whether the value comes from a variable, which no message repeats."""
    return at.span.source.hidden


def _is_host(text: str) -> bool:
    """Whether some machine could have this address or name."""
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        pass
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not labels[-1].isdigit() or _is_short_address(text)


def _is_short_address(text: str) -> bool:
    """Whether these digits and dots are an address in an old way of writing, as `127.1`."""
    try:
        socket.inet_aton(text)
    except OSError:
        return False
    return True


def _way_out(host: str) -> str:
    if "://" in host:
        return "write the host alone, without a scheme"
    if _PORT.fullmatch(host):
        return "write the host alone; the port is a setting of its own, `port`"
    if host.startswith("["):
        return "write an IPv6 address without brackets"
    return "127.0.0.1 is this machine only, 0.0.0.0 all of its addresses"


def _check_egress(settings: ServiceSettings, node: MapNode, log: ProblemLog) -> None:
    """Let the way out read its rules, one by one, so that each bad one is reported at its place."""
    from hookrt.egress import EgressRules  # noqa: PLC0415 - an HTTP library, which few files need to be read

    egress = node.get("egress")
    for key, entries in (("allow", settings.egress.allow), ("deny", settings.egress.deny)):
        section = egress.get(key) if isinstance(egress, MapNode) else None
        for index, entry in enumerate(entries):
            at: Node | None = section.items[index] if isinstance(section, ListNode) else section
            try:
                EgressRules.parse([entry] if key == "allow" else [], [entry] if key == "deny" else [])
            except ValueError as error:
                log.error(at or node, str(error))
