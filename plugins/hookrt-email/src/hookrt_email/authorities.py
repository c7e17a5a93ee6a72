"""Whom TLS connections trust: the public authorities, and those of a file."""

from __future__ import annotations

import ssl
from pathlib import Path

from hookrt.plugin import TlsSettings, tls_context


class Authorities:
    """Makes contexts of TLS, and keeps them until their files change. Paths are relative to `base_dir`."""

    def __init__(self, base_dir: Path) -> None:
        self._base_dir = base_dir
        self._kept: dict[str | None, tuple[int, ssl.SSLContext]] = {}

    def known(self, ca: str | None) -> ssl.SSLContext | None:
        """A context that needs no reading; None where there is none yet, or the file has changed."""
        kept = self._kept.get(ca)
        return kept[1] if kept is not None and kept[0] == self._changed(ca) else None

    def context(self, ca: str | None) -> ssl.SSLContext:
        """A context that verifies certificates and names; raises PluginError. It reads files."""
        changed = self._changed(ca)
        made = tls_context(TlsSettings(ca=ca) if ca is not None else None, self._base_dir)
        self._kept[ca] = (changed, made)
        return made

    def _changed(self, ca: str | None) -> int:
        if ca is None:
            return 0
        try:
            return (self._base_dir / ca).stat().st_mtime_ns
        except (OSError, ValueError):
            return -1
