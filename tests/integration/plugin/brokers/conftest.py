"""The servers of the plugins' own tests, the plugins where they are not installed, and an authority made here."""

from __future__ import annotations

import datetime
import runpy
import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PLUGINS = Path(__file__).parents[4] / "plugins"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts the server of a plugin's own tests, and makes the plugin importable."""
    made: list[Any] = []

    def make(name: str, *options: str) -> Any:
        server = runpy.run_path(str(PLUGINS / name / "tests" / "conftest.py"))["Server"](tmp_path / name, options)
        made.append(server.start())
        return server

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and by it server.pem for localhost alone, and client.pem; keys are .key beside them."""
    folder = tmp_path_factory.mktemp("authority")
    issuer = _certify(folder, "ca", None, ())
    _certify(folder, "server", issuer, ("localhost",))
    _certify(folder, "client", issuer, ("127.0.0.1",))
    return folder


_Pair = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certify(folder: Path, name: str, issuer: _Pair | None, names: Sequence[str]) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if names:
        found = [x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    made = builder.sign(issuer[0] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    unlocked = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, unlocked))
    return key, made
