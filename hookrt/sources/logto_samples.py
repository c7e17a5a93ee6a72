"""What each of Logto's events looks like: the bodies of its webhooks, keys in the order in which Logto sends them.

The people in them do not exist, and their addresses are those set aside for documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Body = dict[str, Any]

_HOOK = "k3v9x1q7m0w5z8b2n4c6p"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_USER, _APP, _SESSION = "u7f2m9q4x1ka", "shop4w8k2n6d1v9z3q7m0", "vZ3kP0qX8mT1sR6yC2bN9"
_ADMIN_AGENT, _ADMIN_IP = "curl/8.14.1", "203.0.113.10"
_IP = "198.51.100.23"
_ORGANIZATION, _ROLE, _SCOPE = "org5k8x2m0qz", "r9d3w7v1c5bn", "s4t8y2h6j0lp"
_APPLICATION = {"id": _APP, "type": "SPA", "name": "Shop", "description": "The web shop"}


class _Route(NamedTuple):
    """A route of Logto's management API: what it is called with, and what it answers."""

    method: str
    matched: str
    params: Mapping[str, str] = {}
    status: int = 200

    def context(self) -> Body:
        path = self.matched
        for name, value in self.params.items():
            path = path.replace(f":{name}", value)
        return {
            "path": path,
            "method": self.method,
            "status": self.status,
            "params": dict(self.params),
            "matchedRoute": self.matched,
        }


def bodies(now: datetime) -> Mapping[str, Body]:
    """The body of each event by its name, as if it happened now."""
    return {
        **{name: _interaction(name, kind, now) for name, kind in _INTERACTIONS.items()},
        **{name: _managed(name, now) for name in _ROUTES},
        "TrustedDevice.Created": {
            **_experienced("TrustedDevice.Created", now, ip=False),
            "data": _device(now),
            "hookId": _HOOK,
        },
        "Identifier.Lockout": {
            **_experienced("Identifier.Lockout", now),
            "type": "email",
            "value": "ada@example.com",
            "hookId": _HOOK,
        },
        "Message.RateLimited": {
            **_experienced("Message.RateLimited", now),
            "action": "VerificationCodeSend",
            "recipient": "ada@example.com",
            "hookId": _HOOK,
        },
        "Grant.LimitExceeded": _too_many_grants(now),
    }


_INTERACTIONS = {
    "PostRegister": "Register",
    "PostSignIn": "SignIn",
    "PostSignInAdaptiveMfaTriggered": "SignIn",
    "PostResetPassword": "ForgotPassword",
}

_OF_USER = {"userId": _USER}
_OF_ROLE, _OF_ORGANIZATION = {"id": _ROLE}, {"id": _ORGANIZATION}
_OF_SCOPE = {"resourceId": "api2m6k0x4wq", "scopeId": _SCOPE}
_OF_OTHER_SCOPE = {"id": _SCOPE}

_ROUTES: Mapping[str, _Route] = {
    "User.Created": _Route("POST", "/users"),
    "User.Deleted": _Route("DELETE", "/users/:userId", _OF_USER, 204),
    "User.Data.Updated": _Route("PATCH", "/users/:userId", _OF_USER),
    "User.SuspensionStatus.Updated": _Route("PATCH", "/users/:userId/is-suspended", _OF_USER),
    "TrustedDevice.Deleted": _Route(
        "DELETE",
        "/users/:userId/trusted-devices/:trustedDeviceId",
        {"userId": _USER, "trustedDeviceId": "td8x2k6m0q4w"},
        204,
    ),
    "Role.Created": _Route("POST", "/roles"),
    "Role.Deleted": _Route("DELETE", "/roles/:id", _OF_ROLE, 204),
    "Role.Data.Updated": _Route("PATCH", "/roles/:id", _OF_ROLE),
    "Role.Scopes.Updated": _Route("POST", "/roles/:id/scopes", _OF_ROLE, 201),
    "Scope.Created": _Route("POST", "/resources/:resourceId/scopes", {"resourceId": "api2m6k0x4wq"}, 201),
    "Scope.Deleted": _Route("DELETE", "/resources/:resourceId/scopes/:scopeId", _OF_SCOPE, 204),
    "Scope.Data.Updated": _Route("PATCH", "/resources/:resourceId/scopes/:scopeId", _OF_SCOPE),
    "Organization.Created": _Route("POST", "/organizations", {}, 201),
    "Organization.Deleted": _Route("DELETE", "/organizations/:id", _OF_ORGANIZATION, 204),
    "Organization.Data.Updated": _Route("PATCH", "/organizations/:id", _OF_ORGANIZATION),
    "Organization.Membership.Updated": _Route("POST", "/organizations/:id/users", _OF_ORGANIZATION, 201),
    "OrganizationRole.Created": _Route("POST", "/organization-roles", {}, 201),
    "OrganizationRole.Deleted": _Route("DELETE", "/organization-roles/:id", _OF_ROLE, 204),
    "OrganizationRole.Data.Updated": _Route("PATCH", "/organization-roles/:id", _OF_ROLE),
    "OrganizationRole.Scopes.Updated": _Route("PUT", "/organization-roles/:id/scopes", _OF_ROLE, 204),
    "OrganizationScope.Created": _Route("POST", "/organization-scopes", {}, 201),
    "OrganizationScope.Deleted": _Route("DELETE", "/organization-scopes/:id", _OF_OTHER_SCOPE, 204),
    "OrganizationScope.Data.Updated": _Route("PATCH", "/organization-scopes/:id", _OF_OTHER_SCOPE),
}


def _interaction(name: str, kind: str, now: datetime) -> Body:
    reset = name == "PostResetPassword"
    return {
        **({"adaptiveMfaResult": _ADAPTIVE_MFA} if name == "PostSignInAdaptiveMfaTriggered" else {}),
        "event": name,
        "interactionEvent": kind,
        "createdAt": _iso(now),
        "sessionId": _SESSION,
        "userAgent": _AGENT,
        "userId": _USER,
        "userIp": _IP,
        "user": _user(now),
        **({} if reset else {"application": _APPLICATION}),
        "hookId": _HOOK,
    }


def _managed(name: str, now: datetime) -> Body:
    """What follows on a call of the management API."""
    route = _ROUTES[name]
    origin: Body = {"event": name, "createdAt": _iso(now), "userAgent": _ADMIN_AGENT}
    if not name.startswith("TrustedDevice."):
        origin["ip"] = _ADMIN_IP
    own = _EXTRAS[name](now) if name in _EXTRAS else {}
    return {**origin, **route.context(), **own, "hookId": _HOOK}


def _experienced(name: str, now: datetime, *, ip: bool = True) -> Body:
    """What an event begins with that comes of what a person does in a browser."""
    return {
        "event": name,
        "createdAt": _iso(now),
        "interactionEvent": "SignIn",
        "userAgent": _AGENT,
        "applicationId": _APP,
        "sessionId": _SESSION,
        **({"ip": _IP} if ip else {}),
    }


def _too_many_grants(now: datetime) -> Body:
    return {
        "event": "Grant.LimitExceeded",
        "createdAt": _iso(now),
        "ip": _IP,
        "userAgent": _AGENT,
        "application": _APPLICATION,
        "userId": _USER,
        "applicationId": _APP,
        "revokedGrantIds": ["gR4nT0x8k2m6"],
        "maxAllowedGrants": 1,
        "preRevocationActiveGrantCount": 2,
        "hookId": _HOOK,
    }


_ADAPTIVE_MFA = {
    "requiresMfa": True,
    "triggeredRules": [{"rule": "new_country", "details": {"currentCountry": "DE", "previousCountry": "FR"}}],
}


def _user(now: datetime, *, suspended: bool = False) -> Body:
    """The fifteen fields of a user that Logto sends; times are Unix milliseconds."""
    born = _milliseconds(now - timedelta(days=40))
    return {
        "id": _USER,
        "username": "ada",
        "primaryEmail": "ada@example.com",
        "primaryPhone": None,
        "name": "Ada Lovelace",
        "avatar": None,
        "customData": {"theme": "light"},
        "identities": {"google": {"userId": "104857600123456789012", "details": {"email": "ada@example.com"}}},
        "lastSignInAt": _milliseconds(now),
        "createdAt": born,
        "updatedAt": _milliseconds(now),
        "profile": {"locale": "en"},
        "applicationId": _APP,
        "cimdClientId": None,
        "isSuspended": suspended,
    }


def _device(now: datetime) -> Body:
    return {"id": "td8x2k6m0q4w", "userId": _USER, "expiresAt": _milliseconds(now + timedelta(days=30))}


def _role() -> Body:
    return {
        "tenantId": "default",
        "id": _ROLE,
        "name": "editor",
        "description": "May change texts",
        "type": "User",
        "isDefault": False,
    }


def _scope(now: datetime) -> Body:
    return {
        "tenantId": "default",
        "id": _SCOPE,
        "resourceId": "api2m6k0x4wq",
        "name": "write:texts",
        "description": "Change texts",
        "createdAt": _milliseconds(now),
    }


def _organization(now: datetime) -> Body:
    return {
        "tenantId": "default",
        "id": _ORGANIZATION,
        "name": "Analytical Engines",
        "description": None,
        "customData": {},
        "isMfaRequired": False,
        "branding": {},
        "createdAt": _milliseconds(now),
    }


def _organization_role() -> Body:
    return {
        "tenantId": "default",
        "id": _ROLE,
        "name": "maintainer",
        "description": "Looks after members",
        "type": "User",
    }


def _organization_scope() -> Body:
    return {"tenantId": "default", "id": _SCOPE, "name": "invite:member", "description": "Invite members"}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


_EXTRAS: Mapping[str, Callable[[datetime], Body]] = {
    "User.Created": lambda now: {"data": {**_user(now), "lastSignInAt": None, "hasPassword": True}},
    "User.Deleted": lambda now: {"data": _user(now)},
    "User.Data.Updated": lambda now: {"data": {**_user(now), "hasPassword": True}},
    "User.SuspensionStatus.Updated": lambda now: {"data": {**_user(now, suspended=True), "hasPassword": True}},
    "TrustedDevice.Deleted": lambda now: {"data": _device(now)},
    "Role.Created": lambda _: {"data": _role()},
    "Role.Data.Updated": lambda _: {"data": _role()},
    "Role.Scopes.Updated": lambda now: {"data": [_scope(now)]},
    "Scope.Created": lambda now: {"data": _scope(now)},
    "Scope.Data.Updated": lambda now: {"data": _scope(now)},
    "Organization.Created": lambda now: {"data": _organization(now)},
    "Organization.Data.Updated": lambda now: {"data": _organization(now)},
    "Organization.Membership.Updated": lambda _: {"organizationId": _ORGANIZATION, "addedUserIds": [_USER]},
    "OrganizationRole.Created": lambda _: {"data": _organization_role()},
    "OrganizationRole.Data.Updated": lambda _: {"data": _organization_role()},
    "OrganizationScope.Created": lambda _: {"data": _organization_scope()},
    "OrganizationScope.Data.Updated": lambda _: {"data": _organization_scope()},
}
"""What an event has beside its route: the answer of the API, and what Logto adds. Those that are missing have none."""
