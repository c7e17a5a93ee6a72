"""Certificates and keys out of PEM files, tried with the very client that will use them."""

from __future__ import annotations

import re
import ssl

from hookrt.egress.clients import make_builder

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE = b"CERTIFICATE"


def read_certificates(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM text, each as a PEM text; raises ValueError where there is none, or a broken one."""
    found = tuple(one[0] + b"\n" for one in _BLOCK.finditer(pem) if one[1] == _CERTIFICATE)
    if not found:
        raise ValueError("it holds no certificate: write PEM, with a line -----BEGIN CERTIFICATE-----")
    for one in found:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=one.decode("ascii"))
        except (ssl.SSLError, ValueError):
            raise ValueError("a certificate in it cannot be read") from None
    return found


def read_key(pem: bytes) -> bytes:
    """The private key of a PEM text; raises ValueError, without any of it, where there is none or it is encrypted."""
    found = [one for one in _BLOCK.finditer(pem) if one[1].endswith(b"PRIVATE KEY")]
    if not found:
        raise ValueError("it holds no private key: write PEM, with a line like -----BEGIN PRIVATE KEY-----")
    if len(found) > 1:
        raise ValueError("it holds more than one private key")
    if found[0][1].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in found[0][0]:
        raise ValueError("the key has a passphrase: nobody is there to type it; store it without one")
    return found[0][0] + b"\n"


def pair(certificates: tuple[bytes, ...], key: bytes) -> bytes:
    """Key and certificate chain together; raises ValueError when they do not belong together."""
    together = b"".join((key, *certificates))
    try:
        make_builder({}).identity_pem(together).build()
    except ValueError as error:  # among them the client's own, which derive from it
        mismatch = "KeyMismatch" in str(error)
        wrong = "the key does not belong to the certificate" if mismatch else "the key cannot be read, or is of no use"
        raise ValueError(wrong) from None
    return together
