"""What sources share that verify an HMAC in a header, and the time that is signed with it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from hookrt.plugin import DEFAULT_TOLERANCE, Duration, Inbound, InboundSettings, Refused, hmac_digests, matches_any

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class TimedSettings(InboundSettings):
    """The settings of sources whose senders sign a time too."""

    tolerance: Duration = Field(
        default=DEFAULT_TOLERANCE, description="How far the time of the signature may lie from now, both ways"
    )


@dataclass(frozen=True, slots=True)
class HmacHeader:
    """A header with an HMAC-SHA256 behind a prefix; `secret` is what the sender calls the secret."""

    name: str
    secret: str
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"

    def verify(self, request: Inbound, secrets: Sequence[str], content: bytes) -> None:
        """Return when one of the secrets gives the signature of this content; raises Refused."""
        self.check(self.read(request), secrets, content)

    def read(self, request: Inbound) -> bytes:
        """The signature; raises Refused where there is none."""
        if self.encoding == "base64":
            return base64_signature(request, self.name)
        written = request.require(self.name)
        digits = written.removeprefix(self.prefix)
        if not written.startswith(self.prefix) or not _HEX.fullmatch(digits):
            form = f"{self.prefix} and 64" if self.prefix else "64"
            raise Refused("bad-signature", f"the header {self.name} must be {form} hexadecimal digits in lower case")
        return bytes.fromhex(digits)

    def check(self, given: bytes, secrets: Sequence[str], content: bytes) -> None:
        """As `verify`, for a signature that was read."""
        if not matches_any(given, hmac_digests("sha256", secrets, content)):
            raise Refused("bad-signature", f"{self.name} does not match: another {self.secret}, or a changed body")


def base64_signature(request: Inbound, header: str) -> bytes:
    """The signature that stands in this header in base64; raises Refused where there is none."""
    try:
        return base64.b64decode(request.require(header).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise Refused("bad-signature", f"the header {header} is not base64") from None
