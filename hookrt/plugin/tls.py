"""Contexts of TLS made from PEM files."""

from __future__ import annotations

import ssl
from pathlib import Path

from hookrt.errors import PluginError


def make_context(
    base_dir: Path, certificate: str | None = None, key: str | None = None, ca: str | None = None
) -> ssl.SSLContext:
    """What verifies certificates and names, by TLS 1.2 or newer; raises PluginError for files of no use."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        _trust(context, _find("ca", base_dir, ca))
    if certificate is not None:
        chain = _find("certificate", base_dir, certificate)
        _present(context, chain, _find("key", base_dir, key) if key is not None else chain)
    return context


def _find(name: str, base_dir: Path, written: str) -> Path:
    path = base_dir / Path(written).expanduser()
    if not path.is_file():
        raise PluginError(f"there is no file {path}, which `{name}` names")
    return path


def _trust(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        context.load_verify_locations(cafile=authorities)
    except ssl.SSLError:
        raise PluginError(f"{authorities}, which `ca` names, holds no certificates in PEM form") from None
    except (OSError, ValueError) as error:
        raise PluginError(f"{authorities}, which `ca` names, cannot be read: {error}") from None


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except ssl.SSLError:
        raise PluginError(
            "the files of `certificate` and `key` hold no certificate with its private key, in PEM form and without a "
            "passphrase"
        ) from None
    except (OSError, ValueError) as error:
        raise PluginError(f"the files of `certificate` and `key` cannot be read: {error}") from None


def _no_passphrase() -> str:
    """Where a key has one: nobody is asked at the terminal."""
    return ""
