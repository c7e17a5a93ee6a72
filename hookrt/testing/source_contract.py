"""The contract of a source of webhooks as a class of tests to inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hookrt.errors import EventError
from hookrt.model.event import Event, check_event, encode_data
from hookrt.model.patterns import matches
from hookrt.plugin.inbound import Inbound, InboundSource, Received, Reply
from hookrt.plugin.inbound_body import read_json
from hookrt.plugin.inbound_settings import OpenInboundSettings
from hookrt.plugin.refusal import Refused
from hookrt.testing.build_event import NOON
from hookrt.testing.run_attempts import read_settings
from hookrt.testing.source_rules import SourceRules

HOSTILE_BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"[" * 100_000,
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b"\x00\xff\xfe",
    b'{"type":"\\u0000"}',
    b'{"id":1e999}',
    b'{"type":{"type":[]},"event":7,"id":null,"data":"x"}',
    b"a=1&a=2&%ff=%zz",
)
"""Bodies that a sender with a good secret may send all the same: a source takes them, or refuses them."""


class SourceContract(SourceRules):
    """Tests that every source of webhooks must pass: `class TestAcme(SourceContract): source = Acme; ...`.

    Give `source`, `valid_settings`, `body`, and `make_request`, which does what the sender does. Sources without a
    signature over the body set `signs_body` to False, those with a time in the signature give `tolerance`.
    """

    source: ClassVar[type[InboundSource[Any]]]
    """The source under test."""

    valid_settings: ClassVar[Mapping[str, Any]]
    """Settings as in hooks.yaml, with one `secret` as text."""

    body: ClassVar[bytes]
    """A body as the sender documents it."""

    other_secret: ClassVar[str] = "another secret of the same length"  # noqa: S105 - of a test
    """A secret that is not the one in `valid_settings`, and is written as one has to be."""

    signs_body: ClassVar[bool] = True
    """Whether a changed body is refused."""

    tolerance: ClassVar[timedelta | None] = None
    """How far the time in the signature may lie from now with `valid_settings`; None where there is none."""

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        """The request that a sender with these settings makes at this time; it is received at noon of 2025-01-01."""
        raise NotImplementedError

    def test_invalid_settings_are_refused(self) -> None:
        """The model refuses the examples of invalid settings, and a misspelt key."""
        for written in (*self.invalid_settings, {**self.valid_settings, "no_such_setting": 1}):
            assert self._read(written) is None, f"{written} should be refused"

    def test_its_settings_show_no_secret(self) -> None:
        """The secret does not show where somebody prints the settings."""
        assert self.valid_settings["secret"] not in repr(self._settings())

    def test_a_genuine_request_is_an_event(self) -> None:
        """What the sender sends becomes an event that hookrt takes, or an answer."""
        for event in self._events(self._request()):
            self.check_event(event)

    def test_it_publishes_the_types_that_it_sends(self) -> None:
        """The type of a genuine request is one of `types`, where it has any."""
        published = self.source().types(self._settings())
        for event in self._events(self._request()):
            known = published is None or any(matches(one, event.type) for one in published)
            assert known, f"{event.type!r} is none of its types"

    def test_its_samples_are_events_of_its_types(self) -> None:
        """What `samples` shows is what hookrt takes, of the types that the source has."""
        published = self.source().types(self._settings())
        for name, sample in self.source.samples(NOON).items():
            self.check_event(Received(name, sample.data, subject=sample.subject))
            known = published is None or any(matches(one, name) for one in published)
            assert known, f"there is a sample of {name!r}, which is none of its types"

    def test_a_repeated_request_is_the_same_event(self) -> None:
        """Twice the same request gives the same id."""
        ids = [[event.id for event in self._events(self._request())] for _ in range(2)]
        assert ids[0] == ids[1]

    def test_either_of_two_secrets_verifies(self) -> None:
        """During a rotation both secrets are good."""
        mine = self.valid_settings["secret"]
        for secrets in ([mine, self.other_secret], [self.other_secret, mine]):
            self._receive(self._request(), {**self.valid_settings, "secret": secrets})

    def test_another_secret_is_refused(self) -> None:
        """Whoever does not have the secret is refused with 401."""
        forged = self.make_request({**self.valid_settings, "secret": self.other_secret}, self.body, NOON)
        assert self._refusal(forged).reason == "bad-signature"

    def test_a_request_without_its_headers_is_refused(self) -> None:
        """Nothing is taken that shows no secret at all."""
        bare = replace(self._request(), headers={"content-type": "application/json"})
        assert self._refusal(bare).reason == "bad-signature"

    def test_a_changed_body_is_refused(self) -> None:
        """One byte more, and the signature does not match."""
        if self.signs_body:
            request = self._request()
            assert self._refusal(replace(request, body=request.body + b" ")).reason == "bad-signature"

    def test_a_changed_signature_is_refused_without_an_error(self) -> None:
        """Headers that are cut, doubled, empty or no ASCII are refused, and break nothing."""
        request = self._request()
        for name, value in request.headers.items():
            for changed in ("", value[:-1], value[:-1] + "é", f"{value}, {value}", "\udcff", "=" * 5000):
                self._bear(replace(request, headers={**request.headers, name: changed}))

    def test_a_refusal_tells_no_secret(self) -> None:
        """Neither the secret nor the signature that was expected stand in what the sender is told."""
        genuine = [value for value in self._request().headers.values() if len(value) > 16]
        forged = self.make_request({**self.valid_settings, "secret": self.other_secret}, self.body, NOON)
        told = self._refusal(forged).message
        for hidden in (self.valid_settings["secret"], *genuine):
            assert hidden not in told, "the answer would show what it must not"

    def test_an_old_request_and_one_from_the_future_are_refused(self) -> None:
        """The time of the signature is bounded both ways."""
        if self.tolerance is None:
            return
        for distance in (self.tolerance, -self.tolerance):
            self._receive(self.make_request(self.valid_settings, self.body, NOON - distance * 0.9))
            far = self.make_request(self.valid_settings, self.body, NOON - distance * 1.1)
            assert self._refusal(far).reason == "too-old"

    def test_hostile_bodies_are_taken_or_refused(self) -> None:
        """A body that is none of the sender's is no error of the source."""
        for body in HOSTILE_BODIES:
            self._bear(self.make_request(self.valid_settings, body, NOON))

    def check_event(self, event: Received) -> None:
        """Fail unless hookrt takes this event."""
        if isinstance(event.data, bytes):
            content = event.data
            if not event.binary:
                read_json(content)
        else:
            content = encode_data(event.data)
        made = Event(
            id=event.id or "body",
            type=event.type,
            source="test",
            time=event.time or NOON,
            subject=event.subject,
            content=content,
            content_type=event.content_type,
            binary=event.binary,
            attributes=event.attributes,
        )
        check_event(made)

    def _request(self) -> Inbound:
        return self.make_request(self.valid_settings, self.body, NOON)

    def _settings(self) -> OpenInboundSettings:
        return read_settings(self.source.settings, self.valid_settings)  # type: ignore[return-value]

    def _receive(
        self, request: Inbound, written: Mapping[str, Any] | None = None
    ) -> Received | Sequence[Received] | Reply:
        return self.source().receive(request, read_settings(self.source.settings, written or self.valid_settings))

    def _events(self, request: Inbound) -> Sequence[Received]:
        said = self._receive(request)
        if isinstance(said, Reply):
            return ()
        return (said,) if isinstance(said, Received) else said

    def _refusal(self, request: Inbound) -> Refused:
        try:
            said = self._receive(request)
        except Refused as refused:
            return refused
        raise AssertionError(f"it is taken: {said}")

    def _bear(self, request: Inbound) -> None:
        try:
            for event in self._events(request):
                self.check_event(event)
        except (Refused, EventError):
            return
