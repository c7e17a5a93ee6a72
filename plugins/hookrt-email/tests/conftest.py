"""A real SMTP server with certificates of an authority made here; and the plugin, where it is not installed."""

import asyncio
import datetime
import ssl
import sys
import threading
import warnings
from asyncio.sslproto import SSLProtocol
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

LOGIN = (b"hooks", b"the-password-of-a-test")


def _key_and_certificate(name, issuer=None, names=()):
    """A key and its certificate, signed by an issuer (a pair of these) or by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

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
    return key, builder.sign((issuer or (key,))[0], hashes.SHA256())


def _write(folder, name, pair):
    from cryptography.hazmat.primitives import serialization

    key, certificate = pair
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A folder with ca.pem, server.pem for localhost and 127.0.0.1, and other.pem for another name."""
    folder = tmp_path_factory.mktemp("authority")
    issuer = _key_and_certificate("An authority of a test")
    _write(folder, "ca", issuer)
    _write(folder, "server", _key_and_certificate("server", issuer, ("localhost", "127.0.0.1")))
    _write(folder, "other", _key_and_certificate("other", issuer, ("mail.example.com",)))
    return folder


class Mails:
    """What a server was told. `replies` are given in the place of 250, by recipient, `MAIL`, or `DATA`."""

    def __init__(self):
        self.connections = []
        self.taken = []
        self.replies = {}
        self.before_data = bool
        self.port = 0

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if said := self.replies.get("MAIL"):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if said := self.replies.get(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.before_data()  # which may stop the whole server
        if said := self.replies.get("DATA"):
            return said
        self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content, session.ssl is not None))
        return "250 taken as 42"

    @property
    def all_closed(self):
        return all(one.get_extra_info("socket").fileno() < 0 for one in self.connections)

    @property
    def messages(self):
        return [message_from_bytes(content, policy=default) for _, _, content, _ in self.taken]


def _noting_connections(protocol, noted):
    """The protocol, its connection noted; not once more when STARTTLS makes another of it."""
    plain = protocol.connection_made

    def connection_made(transport):
        protocol.connection_made = plain
        noted.append(transport)
        plain(transport)

    protocol.connection_made = connection_made
    return protocol


@contextmanager
def _serve(factory, mails):
    """A server in a thread of its own; gives its port. When it stops, all its connections are closed."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def stop():
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for connection in mails.connections:
            connection.abort()
        while not mails.all_closed:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def login():
    """The user and the password that servers take."""
    return tuple(one.decode() for one in LOGIN)


@pytest.fixture
def serve(authority):
    """Starts servers: `with serve(tls="starttls") as mails:`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's own library
        from aiosmtpd.smtp import SMTP, AuthResult

    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == LOGIN, handled=False)

    @contextmanager
    def start(tls="starttls", certificate="server", login=False, size=None):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(authority / f"{certificate}.pem", authority / f"{certificate}.key")
        mails = Mails()
        options = {"hostname": "smtp.test", "loop": None, "enable_SMTPUTF8": False, "data_size_limit": size}
        if tls == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if login:
            options |= {"authenticator": check, "auth_required": True, "auth_require_tls": tls == "starttls"}

        def make():
            plain = asyncio.get_running_loop()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = SMTP(mails, **{**options, "loop": plain})
            if tls == "implicit":
                made = SSLProtocol(plain, made, context, None, server_side=True)
            return _noting_connections(made, mails.connections)

        with _serve(make, mails) as mails.port:
            yield mails

    return start


@pytest.fixture
def send(authority):
    """Sends a message by a server of `serve`; gives the outcome."""
    from hookrt_email import Email

    from hookrt.testing import run_action

    message = {"to": "ada@example.com", "subject": "Hello", "text": "A text."}

    def run(mails, settings=None, *, server=None, **options):
        service = {"host": "localhost", "port": mails.port, "ca": "ca.pem", "from": "Us <us@example.org>"}
        service |= server or {}
        return run_action(
            Email, {**message, **(settings or {})}, base_dir=authority, service_settings=service, **options
        )

    return run
