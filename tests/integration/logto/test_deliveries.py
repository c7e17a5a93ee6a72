"""Logto's tests of triggered hooks, on what hookrt does with the same webhooks: which hooks get them, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookrt.sources.logto_events import EVENT_TYPES

Within = Callable[..., None]
Make = Callable[..., dict[str, Any]]
Verified = Callable[..., dict[str, Any]]

ALL = 'hooks: {all: {on: "**", from: logto, steps: [{webhook: {to: app}, retry: logto}]}}\n'
SEVERAL = """
hooks:
  first:
    on: [PostRegister, PostSignIn]
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
  second:
    on: PostRegister
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
  data:
    on: [User.Created, User.Data.Updated]
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
  resets:
    on: PostResetPassword
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
  mfa:
    on: PostSignInAdaptiveMfaTriggered
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
  alarms:
    on: [Identifier.Lockout, Message.RateLimited, Grant.LimitExceeded]
    from: logto
    steps: [{webhook: {to: app}, retry: logto}]
"""
USER_FIELDS = {
    "id", "username", "primaryEmail", "primaryPhone", "name", "avatar", "customData", "identities", "lastSignInAt",
    "createdAt", "updatedAt", "profile", "applicationId", "cimdClientId", "isSuspended",
}  # fmt: skip


def got(requests: list[Any], verified: Verified) -> list[tuple[str, str]]:
    """Which hook got which event."""
    bodies = [verified(request) for request in requests]
    return sorted((body["hookId"], body["event"]) for body in bodies)


def test_14_15_each_event_of_the_management_api_is_delivered_with_its_route_and_verifies(
    within: Within, make: Make, verified: Verified
) -> None:
    async def happens(world: Any) -> None:
        for event in EVENT_TYPES:
            sent = make(event)
            if "matchedRoute" not in sent:
                continue
            [body] = [verified(request) for request in await world.take(sent)]
            assert (body["event"], body["matchedRoute"]) == (event, sent["matchedRoute"])
            assert body["status"] != 404
            assert body["params"] == sent["params"]
            assert ("data" in body) == ("data" in sent)

    within(ALL, happens)


@pytest.mark.parametrize(
    ("method", "delta"),
    [
        ("POST", {"addedUserIds": ["u1"]}),
        ("POST", {"addedApplicationIds": ["a1"]}),
        ("DELETE", {"removedUserIds": ["u1"]}),
        ("PUT", {"addedUserIds": ["u2"], "removedUserIds": ["u1"]}),
        ("PUT", {}),
    ],
)
def test_16_17_18_22_a_change_of_members_keeps_its_delta_and_gets_no_other(
    within: Within, make: Make, verified: Verified, method: str, delta: dict[str, Any]
) -> None:
    async def happens(world: Any) -> None:
        sent = make("Organization.Membership.Updated", **{"addedUserIds": ..., "method": method, **delta})
        [body] = [verified(request) for request in await world.take(sent)]
        kinds = {"addedUserIds", "removedUserIds", "addedApplicationIds", "removedApplicationIds"}
        assert {name: body[name] for name in kinds & body.keys()} == delta
        assert body["organizationId"] == sent["organizationId"]
        [event] = (await world.get("/v1/events"))["items"]
        assert event["subject"] == sent["organizationId"]

    within(ALL, happens)


def test_19_a_role_made_with_permissions_is_two_events(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        scope = make("Scope.Created")["data"]
        second = make("Role.Scopes.Updated", data=[scope], roleId="r1", params={}, path="/roles", matchedRoute="/roles")
        bodies = [verified(request) for request in await world.take(make("Role.Created"), second)]
        assert [body["event"] for body in bodies] == ["Role.Created", "Role.Scopes.Updated"]
        assert bodies[0]["data"]["name"] == "editor"
        assert (bodies[1]["roleId"], bodies[1]["data"]) == ("r1", [scope])

    within(ALL, happens)


def test_20_an_organization_role_made_with_permissions_is_two_events(
    within: Within, make: Make, verified: Verified
) -> None:
    async def happens(world: Any) -> None:
        second = make("OrganizationRole.Scopes.Updated", organizationRoleId="r1", params={})
        bodies = [verified(request) for request in await world.take(make("OrganizationRole.Created"), second)]
        assert [body["event"] for body in bodies] == ["OrganizationRole.Created", "OrganizationRole.Scopes.Updated"]
        assert (bodies[1]["organizationRoleId"], "data" in bodies[1]) == ("r1", False)

    within(ALL, happens)


def test_21_a_deleted_user_is_told_with_all_fields(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        [body] = [verified(request) for request in await world.take(make("User.Deleted"))]
        assert body["data"].keys() == USER_FIELDS
        assert (body["status"], body["method"]) == (204, "DELETE")

    within(ALL, happens)


def test_23_an_endpoint_whose_url_cannot_be_read_is_an_error_in_the_record(within: Within, make: Make) -> None:
    hook = 'hooks: {odd: {on: PostSignIn, steps: [{webhook: {url: "${{ event.data.url }}"}}]}}\n'

    async def happens(world: Any) -> None:
        assert await world.take(make("PostSignIn", url="not_work_url")) == []
        [delivery] = await world.deliveries(hook="odd")
        shown = await world.get(f"/v1/deliveries/{delivery['id']}")
        assert (shown["status"], shown["reason"], len(shown["attempts"])) == ("dead", "template", 1)
        assert "a webhook's URL begins with http:// or https://" in shown["attempts"][0]["message"]

    within(hook, happens)


def test_24_a_registration_reaches_every_hook_for_it_and_no_other(
    within: Within, make: Make, verified: Verified
) -> None:
    async def happens(world: Any) -> None:
        requests = await world.take(make("PostRegister"), make("User.Created"))
        assert got(requests, verified) == [
            ("data", "User.Created"),
            ("first", "PostRegister"),
            ("second", "PostRegister"),
        ]
        assert len(await world.deliveries()) == 3

    within(SEVERAL, happens)


def test_25_a_sign_in_reaches_no_hook_for_data(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        assert got(await world.take(make("PostSignIn")), verified) == [("first", "PostSignIn")]
        assert await world.deliveries(hook="data") == []

    within(SEVERAL, happens)


def test_27_a_sign_in_that_changes_the_user_is_two_events(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        requests = await world.take(make("PostSignIn"), make("User.Data.Updated"))
        assert got(requests, verified) == [("data", "User.Data.Updated"), ("first", "PostSignIn")]
        assert verified(requests[1])["data"]["primaryEmail"] == "ada@example.com"

    within(SEVERAL, happens)


def test_28_a_reset_password_is_two_events(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        requests = await world.take(make("PostResetPassword"), make("User.Data.Updated"))
        assert got(requests, verified) == [("data", "User.Data.Updated"), ("resets", "PostResetPassword")]

    within(SEVERAL, happens)


def test_29_33_a_lockout_tells_the_identifier(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        requests = await world.take(make("Identifier.Lockout"), make("User.Data.Updated", path=..., method=...))
        assert got(requests, verified) == [("alarms", "Identifier.Lockout"), ("data", "User.Data.Updated")]
        assert (verified(requests[0])["type"], verified(requests[0])["value"]) == ("email", "ada@example.com")

    within(SEVERAL, happens)


def test_30_adaptive_mfa_is_told_also_without_a_sign_in_and_once(
    within: Within, make: Make, verified: Verified
) -> None:
    async def happens(world: Any) -> None:
        mfa = make("PostSignInAdaptiveMfaTriggered")
        requests = await world.take(mfa, mfa)
        assert got(requests, verified) == [("mfa", "PostSignInAdaptiveMfaTriggered")]
        assert verified(requests[0])["adaptiveMfaResult"]["requiresMfa"] is True
        assert got(await world.take(make("PostSignIn")), verified) == [("first", "PostSignIn")]

    within(SEVERAL, happens)


def test_31_a_limit_of_messages_tells_action_and_recipient(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        [body] = [verified(request) for request in await world.take(make("Message.RateLimited"))]
        assert (body["action"], body["recipient"]) == ("VerificationCodeSend", "ada@example.com")

    within(SEVERAL, happens)


def test_32_a_limit_of_grants_tells_how_many_there_were(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        [body] = [verified(request) for request in await world.take(make("Grant.LimitExceeded"))]
        assert {"userId", "applicationId", "revokedGrantIds"} <= body.keys()
        assert (body["maxAllowedGrants"], body["preRevocationActiveGrantCount"]) == (1, 2)

    within(SEVERAL, happens)


def test_37_reserved_keys_win_and_nothing_is_added_or_cut(within: Within, make: Make, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        forged = {"event": "User.Deleted", "hookId": "forged", "createdAt": "2000-01-01T00:00:00.000Z", "userId": "u1"}
        await world.emit("PostSignIn", forged)
        body = verified(world.receiver.requests[-1])
        assert (body["event"], body["hookId"], body["userId"]) == ("PostSignIn", "open", "u1")
        assert not body["createdAt"].startswith("2000")
        await world.rewrite(ALL)
        [device] = [verified(request) for request in await world.take(make("TrustedDevice.Created"))]
        assert "ip" not in device
        many = [f"u{number}" for number in range(6000)]
        [members] = await world.take(make("Organization.Membership.Updated", addedUserIds=many))
        assert verified(members)["addedUserIds"] == many

    within("hooks: {open: {on: PostSignIn, steps: [{webhook: {to: app}}]}}\n", happens)
