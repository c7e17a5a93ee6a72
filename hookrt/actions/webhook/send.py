"""Sending a webhook, and what its answer means."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from importlib import metadata
from typing import Any, ClassVar

from hookrt.actions.webhook.formats import standard_body
from hookrt.actions.webhook.prepared import Prepared
from hookrt.actions.webhook.request import explain_header, prepare
from hookrt.actions.webhook.settings import WebhookSettings
from hookrt.plugin import (
    STANDARD,
    Action,
    ActionCall,
    ActionSetup,
    Destination,
    Http,
    HttpError,
    Outcome,
    Response,
    RetryPolicy,
    SettingsProblem,
    written_origin,
)


class Webhook(Action[WebhookSettings]):
    """Send an HTTP request: by default a signed POST of the event, as the Standard Webhooks have it.

    Its output is `{status, headers, body}` of the answer; the body is parsed if its type says JSON, else text.
    """

    name: ClassVar[str] = "webhook"
    short: ClassVar[str | None] = "url"
    shown: ClassVar[frozenset[str]] = frozenset({"success", "retry_on"})
    only_sends: ClassVar[bool] = True
    retry: ClassVar[RetryPolicy] = STANDARD
    reasons: ClassVar[Mapping[str, str]] = {
        "status": "the endpoint answered with a status that is no success",
        "gone": "the endpoint answered 410: it wants no more of these",
        "disable": "the endpoint answered `webhook-delivery: disable`: it wants no more of these",
        "abort-message": "the endpoint answered `webhook-delivery: abort-message`: no retries of this one",
        "redirect": "the endpoint answered with a redirect, which is not followed",
        "dns": "the host's name has no address",
        "refused": "no connection to the endpoint came about",
        "reset": "the connection broke off",
        "token": "the destination's OAuth 2 token could not be fetched",
        "tls": "no TLS connection came about, or the certificate is not valid",
        "timeout": "the endpoint did not answer in time",
        "too-large": "the answer has more than 1 MiB",
        "protocol": "the answer is not HTTP",
        "blocked-address": "the address is not public, or denied; the message says which line would allow it",
        "bad-url": "the URL cannot be used, or the destination has none",
        "bad-request": "a header, a secret or the body cannot be sent",
    }

    def __init__(self) -> None:
        self._user_agent = "hookrt"

    async def open(self, setup: ActionSetup) -> None:
        """Look up the version, for the user agent."""
        try:
            self._user_agent = f"hookrt/{metadata.version('hookrt')}"
        except metadata.PackageNotFoundError:  # run from a folder, without being installed
            self._user_agent = "hookrt"

    def check(self, settings: WebhookSettings) -> Iterable[SettingsProblem]:
        """Headers that cannot be set by hand."""
        for name, value in settings.headers.items():
            if wrong := explain_header(name, value):
                yield SettingsProblem(("headers", name), wrong)

    def lane(self, written: Mapping[str, Any]) -> str | None:
        """The destination's name, else the origin of a URL that is written out, else None."""
        to, url = written.get("to"), written.get("url")
        if isinstance(to, str):
            return to
        return written_origin(url) if isinstance(url, str) else None

    async def run(self, call: ActionCall[WebhookSettings]) -> Outcome:
        """Send it once."""
        settings = call.settings
        destination = _find_destination(settings, call.destinations)
        if settings.to is not None and (destination is None or destination.url is None):
            return Outcome.reject("bad-url", f"there is no destination {settings.to!r} with a url")
        prepared = settings.memo.prepared
        if prepared is None or prepared.destination is not destination:
            try:
                prepared = settings.memo.prepared = prepare(call, destination, self._user_agent)
            except ValueError as error:
                return Outcome.reject("bad-request", str(error))
        return await _send(prepared, call)


async def _send(prepared: Prepared, call: ActionCall[WebhookSettings]) -> Outcome:
    if prepared.dress is None:
        body = standard_body(call.event) if prepared.from_event else prepared.body
        headers = prepared.headers_for(call.message_id, call.started, body)
    else:
        try:
            body, headers = prepared.dressed(prepared.dress, call)
        except ValueError as error:
            return Outcome.reject("bad-request", str(error))
    try:
        response = await _request(prepared, call.http, headers, body)
    except HttpError as error:
        listed = prepared.rules.retry_on
        if listed is None or error.permanent or error.reason in listed.reasons:
            raise  # the engine knows what that means
        return Outcome.reject(error.reason, f"{error.message}; `retry_on` does not list it")
    output = _output(response) if response.status_code in prepared.rules.success else None
    return Outcome.from_response(response, output=output, rules=prepared.rules, now=call.started)


def _request(prepared: Prepared, http: Http, headers: Mapping[str, str], body: bytes | None) -> Awaitable[Response]:
    if prepared.access is None:
        return http.send(prepared.method, prepared.url, headers=headers, content=body)
    return http.send(prepared.method, prepared.url, headers=headers, content=body, access=prepared.access)


def _find_destination(settings: WebhookSettings, known: Mapping[str, Destination]) -> Destination | None:
    if not known:
        return None
    key = settings.to or written_origin(settings.url or "")
    return known.get(key) if key else None


def _output(response: Response) -> dict[str, Any]:
    headers = dict(response.headers)
    return {"status": response.status_code, "headers": headers, "body": _read(response, headers)}


def _read(response: Response, headers: Mapping[str, str]) -> Any:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return response.json()
        except ValueError:  # its type says so, but it is none
            return response.text
    return response.text
