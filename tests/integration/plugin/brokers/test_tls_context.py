"""TLS of plugins: files of no use are named, and nobody is asked at the terminal."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

from hookrt.plugin import PluginError, TlsSettings, tls_context


def test_it_verifies_names_and_certificates_whatever_is_written(authority: Path) -> None:
    written = TlsSettings(ca="ca.pem", certificate="client.pem", key="client.key")
    for settings in (None, written):
        context = tls_context(settings, authority)
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(tls_context(written, authority).get_ca_certs()) == len(tls_context(None, authority).get_ca_certs()) + 1


def test_a_key_may_stand_in_the_file_of_its_certificate(authority: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes((authority / "client.pem").read_bytes() + (authority / "client.key").read_bytes())
    assert tls_context(TlsSettings(certificate="both.pem"), tmp_path)


def test_a_file_of_no_use_is_named_with_its_key(authority: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    locked = serialization.load_pem_private_key((authority / "client.key").read_bytes(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"open")
    )
    (tmp_path / "locked.key").write_bytes(locked)
    client = str(authority / "client.pem")
    for settings, said in (
        (TlsSettings(ca="empty.pem"), "empty.pem, which `ca` names, holds no certificates in PEM form"),
        (TlsSettings(ca="gone.pem"), "there is no file .*gone.pem, which `ca` names"),
        (TlsSettings(certificate=client, key="gone.key"), "there is no file .*gone.key, which `key` names"),
        (TlsSettings(certificate=client, key="locked.key"), "without a passphrase"),
        (TlsSettings(certificate=client, key=str(authority / "server.key")), "no certificate with its private key"),
    ):
        with pytest.raises(PluginError, match=said):
            tls_context(settings, tmp_path)


@pytest.mark.parametrize("written", [{}, {"key": "a.key"}, {"ca": ""}, {"ca": "a\0b"}])
def test_settings_that_mean_nothing_are_refused(written: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TlsSettings.model_validate(written)
