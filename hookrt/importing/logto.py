"""Webhooks of Logto, as its `GET /api/hooks` returns them, as a hooks.yaml of ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, is_empty
from hookrt.errors import HookrtError
from hookrt.importing.naming import HookNames, MovedSecrets, mention, secret_name, variable
from hookrt.importing.notes import Imported, Kind, Notes, Untranslatable
from hookrt.importing.reading import read_root
from hookrt.importing.yaml_text import Value, block, comment, scalar
from hookrt.model.web_url import check_url
from hookrt.plugin.inbound_settings import check_reply_headers
from hookrt.plugin.protocols import FRAMING_HEADERS, RESERVED_PREFIXES

SOURCE = "logto"
"""The source that the hooks are from, and the secret that verifies it."""

_KEY = "LOGTO_KEY"
_PAGE_KEYS = ("items", "data", "hooks")
_GATED = ("TrustedDevice.Created", "TrustedDevice.Deleted")
_SECRETIVE = re.compile(r"auth|token|secret|key|pass|cookie|sign|credential", re.IGNORECASE)
_MADE = ("logto-signature-sha-256", *FRAMING_HEADERS)
_GAPS = ("300ms", "600ms", "1200ms")
_FOR_ALL = (
    (
        Kind.TO_DO,
        "make one webhook at Logto with the URL https://YOUR-HOST/in/logto and every event below, set "
        f"{variable(_KEY)} to its signing key, and disable these webhooks there",
    ),
    (Kind.DIFFERS, "`hookId` is the hook's name here, no longer Logto's id of the webhook"),
    (Kind.DIFFERS, "a redirect is not followed, and is a failure: write the new URL"),
    (Kind.DIFFERS, "what fails after its retries is kept and can be replayed; nothing is lost in a restart"),
)


def translate(path: Path, events: Collection[str] = ()) -> Imported:
    """What can be had of a file; `events` are the names that Logto is known to send, empty for any.

    Raises ConfigError for what is no JSON, HookrtError for what holds no webhooks.
    """
    hooks = _read(path)
    notes, names, secrets = Notes(), HookNames(), MovedSecrets(named={_KEY: _KEY})
    names.taken.add(SOURCE)
    for kind, text in _FOR_ALL:
        notes.add(kind, hooks, text)
    results: list[tuple[str, Node, list[str] | None]] = []
    for node in hooks.items:
        name = names.take(_called(node))
        results.append((name, node, _Writer(name, notes, secrets, events).try_write(node)))
    done = sum(lines is not None for _, _, lines in results)
    text = "\n".join(_lines(path, results, notes)) + "\n"
    return Imported(text, tuple(notes.kept), secrets.values, done, len(results) - done)


def _read(path: Path) -> ListNode:
    root = read_root(path)
    if isinstance(root, MapNode):
        listed = next((root.get(key) for key in _PAGE_KEYS if isinstance(root.get(key), ListNode)), None)
        root = listed if listed is not None else ListNode(root.span, (root,))
    if not isinstance(root, ListNode) or not all(isinstance(item, MapNode) for item in root.items):
        raise HookrtError(f"{path} holds no webhooks, as GET /api/hooks of Logto returns them")
    return root


def _called(node: Node) -> str:
    return _text(node, "name") or _text(node, "id")


def _text(node: Node | None, key: str) -> str:
    value = node.get(key) if isinstance(node, MapNode) else None
    return value.text if isinstance(value, TextNode) and not is_empty(value) else ""


@dataclass(slots=True)
class _Writer:
    """Writes one webhook as a hook."""

    name: str
    notes: Notes
    secrets: MovedSecrets
    known: Collection[str]

    def try_write(self, node: Node) -> list[str] | None:
        """Its lines; None, and it is noted, where there can be none."""
        try:
            return self._write(node)
        except Untranslatable as error:
            self.notes.add(Kind.LEFT_OUT, error.node, error.text, self.name)
            return None

    def _write(self, node: Node) -> list[str]:
        config = node.get("config") if isinstance(node, MapNode) else None
        if not isinstance(node, MapNode) or not isinstance(config, MapNode):
            raise Untranslatable(node, "it has no `config`")
        events, url = self._events(node), self._url(config)
        lines = [f"  {self.name}:"]
        if described := _text(node, "name"):
            lines += block("description", described, 4)
        if _text(node, "enabled") == "false":
            lines.append("    enabled: false")
        lines += [*block("on", events if len(events) > 1 else events[0], 4), f"    from: {SOURCE}", "    steps:"]
        lines += ["      - webhook:", *block("url", url, 10)]
        for key, value in {**self._headers(config), **self._signing(node), "format": "logto"}.items():
            lines += block(key, value, 10)
        return lines + self._retries(config)

    def _events(self, node: MapNode) -> list[str]:
        listed = node.get("events")
        items = listed.items if isinstance(listed, ListNode) else ()
        found = {item.text: item for item in items if isinstance(item, TextNode)}
        old = node.get("event")
        if not found and isinstance(old, TextNode) and not is_empty(old):
            found = {old.text: old}  # what counts only where there are no `events`
        if not found:
            raise Untranslatable(node, "it has no events, so that Logto never calls it")
        for name, item in found.items():
            if name in _GATED:
                self._differs(item, f"{name} is sent only by a Logto with its development features on")
            elif self.known and name not in self.known:
                self._differs(item, f"{name!r} is no event that Logto is known to send")
        return list(found)

    def _url(self, config: MapNode) -> str:
        url = _text(config, "url")
        try:
            return check_url(url).replace("${{", "$${{")
        except ValueError as error:
            raise Untranslatable(config.get("url") or config, f"nobody can send to its URL: {error}") from None

    def _headers(self, config: MapNode) -> dict[str, Value]:
        node = config.get("headers")
        entries = node.entries.values() if isinstance(node, MapNode) else ()
        headers = dict(self._header(entry) for entry in entries if self._can_be_set(entry))
        return {"headers": headers} if headers else {}

    def _can_be_set(self, entry: Entry) -> bool:
        value = entry.value.text if isinstance(entry.value, TextNode) else None
        try:
            if value is None or entry.key.text.lower() in _MADE or entry.key.text.lower().startswith(RESERVED_PREFIXES):
                raise ValueError("it is no text, or made by the signature or the connection itself")
            check_reply_headers({entry.key.text: value})
        except ValueError as error:
            self._differs(entry.key, f"it is sent without the header {entry.key.text!r}: {error}")
            return False
        return True

    def _header(self, entry: Entry) -> tuple[str, str]:
        name, value = entry.key.text, entry.value.text if isinstance(entry.value, TextNode) else ""
        if not value or not _SECRETIVE.search(name):
            return name, value.replace("${{", "$${{")
        return name, self._move(entry.value, secret_name(self.name, name), value, f"the header {name}")

    def _signing(self, node: MapNode) -> dict[str, Value]:
        key = _text(node, "signingKey")
        if not key:
            self._differs(node, "it has no signing key, so that its requests are not signed, as Logto's are not")
            return {}
        wanted = secret_name(SOURCE, self.name)
        secret = self._move(node.get("signingKey") or node, wanted, key, "the signing key")
        return {"signing": {"scheme": "logto", "secret": secret}}

    def _move(self, node: Node, wanted: str, value: str, what: str) -> str:
        name, new = self.secrets.take(wanted, value)
        if new:
            text = f"set {variable(name)} to {what} that stands here (--secrets-to FILE writes it)"
            self.notes.add(Kind.TO_DO, node, text, self.name)
        return mention(name)

    def _retries(self, config: MapNode) -> list[str]:
        """`retry: logto` means three, what a webhook has that says nothing."""
        text = _text(config, "retries") or "3"
        timeout = "        timeout: 10s"
        if text == "0":
            return ["        retry: none", timeout]
        if text not in ("1", "2"):
            return ["        retry: logto", timeout]
        return [*block("retry_on", "5xx", 10), f"        retry: [{', '.join(_GAPS[: int(text)])}]", timeout]

    def _differs(self, node: Node, text: str) -> None:
        self.notes.add(Kind.DIFFERS, node, text, self.name)


def _lines(path: Path, results: list[tuple[str, Node, list[str] | None]], notes: Notes) -> Iterator[str]:
    yield from comment(f"Imported from {path.name} of Logto. For all hooks:")
    yield from _note_lines(notes, None, 0)
    for name, _, lines in results:
        if lines is None:
            yield from _note_lines(notes, name, 0)
    yield from ("", "sources:", f"  {SOURCE}: {{logto: {scalar(mention(_KEY))}}}", "")
    if all(lines is None for _, _, lines in results):
        yield "hooks: {}"
        return
    yield "hooks:"
    first = True
    for name, node, lines in results:
        if lines is not None:
            yield from () if first else ("",)
            first = False
            yield from comment(f"{path.name}:{node.span.line}", 2)
            yield from _note_lines(notes, name, 2)
            yield from lines


def _note_lines(notes: Notes, name: str | None, indent: int) -> Iterator[str]:
    for note in notes.of(name):
        yield from comment(str(note), indent, "   ")
