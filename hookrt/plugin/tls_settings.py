"""TLS as settings write it: PEM files, and whom a connection trusts by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from hookrt.plugin.settings import Settings, check_line

if TYPE_CHECKING:
    from ssl import SSLContext

PemPath = Annotated[str, AfterValidator(check_line)]
"""The path of a PEM file, relative to the folder of hooks.yaml, or absolute."""


class TlsSettings(Settings):
    """PEM files for connections by TLS; paths are relative to the folder of hooks.yaml."""

    certificate: PemPath | None = Field(
        default=None, description="Our certificate for the server to verify (mTLS), with its chain"
    )
    key: PemPath | None = Field(
        default=None, description="Its private key, without a passphrase, unless it stands in the same file"
    )
    ca: PemPath | None = Field(default=None, description="Certificates of authorities to trust beside the public ones")

    @model_validator(mode="after")
    def _whole(self) -> TlsSettings:
        if self.key is not None and self.certificate is None:
            raise ValueError("`key` goes with `certificate`")
        if self.certificate is None and self.ca is None:
            raise ValueError("it takes `certificate` and `key`, `ca`, or all of them")
        return self

    @property
    def files(self) -> tuple[str | None, str | None, str | None]:
        """Certificate, key and authorities, as they are written."""
        return self.certificate, self.key, self.ca


def tls_context(tls: TlsSettings | None, base_dir: Path) -> SSLContext:
    """What trusts the public authorities and ours, presents our certificate, and verifies certificates and names.

    TLS 1.2 or newer. It reads files, which takes milliseconds: call it in a thread. Raises PluginError, whose text
    names the key.
    """
    from hookrt.plugin.tls import make_context  # noqa: PLC0415 - ssl takes longer to load than all of this room

    return make_context(base_dir, *tls.files) if tls is not None else make_context(base_dir)


def certificate_fault(error: BaseException | None) -> str | None:
    """Why the other side's certificate was not taken, where that is behind an error; the sentence is OpenSSL's."""
    from ssl import SSLCertVerificationError  # noqa: PLC0415 - as above

    while error is not None:
        if isinstance(error, SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
