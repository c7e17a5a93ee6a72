"""The events that the demo sends: what an identity service such as Logto tells, and one that no hook wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ADA = {
    "id": "u_ada",
    "username": "ada",
    "primaryEmail": "ada@acme.com",
    "name": "Ada Lovelace",
    "isSuspended": False,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to send, and in a few words what it stands for."""

    says: str
    type: str
    data: dict[str, Any] = field(default_factory=dict)


SAMPLES = (
    Sample(
        "a person registers",
        "PostRegister",
        {
            "event": "PostRegister",
            "interactionEvent": "Register",
            "userId": "u_ada",
            "userIp": "198.51.100.7",
            "user": _ADA,
        },
    ),
    Sample(
        "somebody signs in from a suspicious address",
        "PostSignIn",
        {
            "event": "PostSignIn",
            "interactionEvent": "SignIn",
            "userId": "u_ada",
            "userIp": "203.0.113.9",
            "user": _ADA,
        },
    ),
    Sample(
        "an account is locked after too many tries",
        "Identifier.Lockout",
        {"event": "Identifier.Lockout", "type": "email", "value": "ada@acme.com", "ip": "203.0.113.9"},
    ),
    Sample(
        "an administrator creates a user",
        "User.Created",
        {"userId": "u_grace", "email": "Grace@Example.com", "name": "Grace Hopper"},
    ),
    Sample(
        "something that hardly any hook is for",
        "Invoice.Paid",
        {"invoice": "inv_17", "amount": 4900, "currency": "EUR"},
    ),
)
"""What is sent, in this order."""

OWN_EVENT = '{"type": "PostSignIn", "data": {"userId": "u_you", "userIp": "203.0.113.42"}}'
"""The event of the `curl` line that the demo prints at its end."""
