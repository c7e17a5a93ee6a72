"""Lets these tests run from the working tree too, and starts a PostgreSQL for them."""

import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

PASSWORD = "open:sesame"
WRITTEN_PASSWORD = "open%3Asesame"
FOLDERS = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"), Path("/usr/local/bin")]
NOBODY = 65534
NUMBERS = count()
DAY = datetime.timedelta(days=1)


def _certificates(folder):
    """Writes ca.pem, the certificate and the key of a server called `localhost`, and other.pem, of nobody."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)

    def make(name, issuer=None):
        key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(COMMON_NAME, name)])
        builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer[1].subject if issuer else subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False) if issuer else builder
        return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())

    def write(name, certificate):
        (folder / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    COMMON_NAME = x509.NameOID.COMMON_NAME  # noqa: N806 - its own name
    issuer = make("authority")
    key, certificate = make("localhost", issuer)
    write("ca.pem", issuer[1])
    write("other.pem", make("other")[1])
    write("server.pem", certificate)
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    (folder / "server.key").chmod(0o600)


class Server:
    """A private PostgreSQL with passwords and TLS, on a free port and on a socket in its folder."""

    def __init__(self, programs, folder):
        self.folder, self._programs = folder, programs
        self._as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        _certificates(folder)
        (folder / "password").write_text(PASSWORD)
        if self._as_user:
            for one in (folder, folder / "server.key"):
                os.chown(one, NOBODY, NOBODY)
        make = [programs / "initdb", "-D", folder / "data", "-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8"]
        make += [f"--pwfile={folder / 'password'}", "--no-sync", "--locale=C"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **self._as_user)

    def start(self):
        """Start it, and wait until it answers."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        options += [f"ssl_cert_file={self.folder}/server.pem", f"ssl_key_file={self.folder}/server.key", "ssl=on"]
        serve = [self._programs / "postgres", "-D", self.folder / "data", "-c", "fsync=off"]
        serve += [part for one in options for part in ("-c", one)]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(serve, stdout=log, stderr=log, cwd=self.folder, **self._as_user)
        ask = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ask, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log.txt").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not start"

    def stop(self):
        """Stop it, and break off all connections."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()


@pytest.fixture(scope="session")
def postgres_server():
    """The server of all tests."""
    programs = next((folder for folder in FOLDERS if (folder / "initdb").exists()), None)
    if programs is None:
        pytest.skip("needs PostgreSQL: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="hookrt-pg-"))
    folder.chmod(0o755)
    try:
        server = Server(programs, folder)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(postgres_server):
    """The URL of the database."""
    return f"postgresql://postgres:{WRITTEN_PASSWORD}@127.0.0.1:{postgres_server.port}/postgres"


@pytest.fixture
def socket_url(postgres_server):
    """The same database by its socket."""
    folder, port = postgres_server.folder, postgres_server.port
    return f"postgresql://postgres:{WRITTEN_PASSWORD}@/postgres?host={folder}&port={port}"


@pytest.fixture
def execute(url):
    """Runs a statement beside the plugin; gives the rows, if any."""
    import psycopg

    def run(sql, *params):
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def table(execute):
    """The name of a table of this test, with an id and a text."""
    name = f"orders_{next(NUMBERS)}"
    execute(f"CREATE TABLE {name} (id text PRIMARY KEY, note text NOT NULL)")
    return name
