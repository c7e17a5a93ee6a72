"""`hookrt secrets`: fresh secrets to sign with."""

from __future__ import annotations

import re
import secrets
import string
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from hookrt.cli.options import PlainOutputOption
from hookrt.cli.render import Format, Screen, to_json
from hookrt.signing import new_key_pair, new_secret

app = typer.Typer(add_completion=False)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}", re.ASCII)
_VARIABLE = "HOOKRT_SECRET_"
_LETTERS = string.ascii_letters + string.digits


class Scheme(StrEnum):
    """What the secret is for."""

    STANDARD = "standard"
    ED25519 = "ed25519"
    LOGTO = "logto"
    GITHUB = "github"
    HMAC = "hmac"


@dataclass(frozen=True, slots=True)
class Made:
    """A fresh secret, and what receivers verify with where that is another thing."""

    secret: str
    public: str | None = None


@app.callback()
def secrets_() -> None:
    """Make fresh secrets to sign with."""


@app.command("new")
def new(
    *,
    scheme: Annotated[Scheme, typer.Option(help="What it is to sign by.")] = Scheme.STANDARD,
    name: Annotated[str, typer.Option(metavar="NAME", help="Its name in hooks.yaml: secrets.NAME.")] = "SIGNING_KEY",
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Make a fresh random secret, and say where it goes.

    Standard output gets the line for the environment, so that it can be
    appended to a file for `hookrt run --env-file`; all else is said on
    standard error. Nothing is stored.

    Examples:
      hookrt secrets new
      hookrt secrets new --name CRM >> hookrt.env
      hookrt secrets new --scheme ed25519     a private and a public key
      hookrt secrets new --scheme logto -o json
    """
    if not _NAME.fullmatch(name):
        raise typer.BadParameter("a secret's name has letters, digits and _, like CRM_KEY", param_hint="--name")
    made = _make(scheme)
    if output is Format.JSON:
        Screen().raw(to_json(_as_json(made, scheme, name)))
    else:
        _show(made, scheme, name)


def _make(scheme: Scheme) -> Made:
    if scheme is Scheme.STANDARD:
        return Made(new_secret())
    if scheme is Scheme.ED25519:
        try:
            return Made(*new_key_pair())
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--scheme") from None
    if scheme is Scheme.LOGTO:  # as Logto makes its signing keys
        return Made("".join(secrets.choice(_LETTERS) for _ in range(32)))
    return Made(secrets.token_hex(32))


def _show(made: Made, scheme: Scheme, name: str) -> None:
    screen, note = Screen(), Screen(sys.stderr)
    if made.public is not None:
        screen.raw(f"# receivers verify with the public key {made.public}")
    screen.raw(f"{_VARIABLE}{name}={made.secret}")
    note.line()
    note.line("put this line into the environment of hookrt (", ("hookrt run --env-file FILE", "bold"), ")")
    note.line("give receivers ", ("the public key" if made.public else "the secret", "bold"), " to verify with")
    note.line("write into hooks.yaml, at a destination or a webhook:")
    note.line("  ", (_setting(scheme, name), "bold"))


def _setting(scheme: Scheme, name: str) -> str:
    value = f'"${{{{ secrets.{name} }}}}"'
    if scheme in (Scheme.STANDARD, Scheme.ED25519):
        return f"signing_secret: {value}"
    header = ", header: X-Signature" if scheme is Scheme.HMAC else ""
    return f"signing: {{scheme: {scheme}{header}, secret: {value}}}"


def _as_json(made: Made, scheme: Scheme, name: str) -> dict[str, str]:
    shown = {"scheme": str(scheme), "secret": made.secret, "variable": f"{_VARIABLE}{name}"}
    return {**shown, "setting": _setting(scheme, name), **({"public_key": made.public} if made.public else {})}
