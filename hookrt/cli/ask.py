"""Whom the read commands ask: the running service or, where none answers, the file of its store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from hookrt.cli.client import Client, NobodyAnswers

T = TypeVar("T")

StoreOption = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Read this store's file, without a service.")
]
"""`--store sqlite:///hooks.db`."""


def ask(question: Callable[[Client], T], store: str | None = None, *, hooks: bool = False) -> T:
    """What the service answers or, where none runs on the default address, what its store's file says.

    With a `store` it is always that file. `hooks` says that the question is about the hooks, which are not in the store
    but in hooks.yaml. Raises HookrtError in one sentence.
    """
    silence: NobodyAnswers | None = None
    if store is None:
        try:
            with Client() as client:
                return question(client)
        except NobodyAnswers as error:
            if client.address.given:
                raise
            silence = error
    from hookrt.cli.stored import reading  # the whole service, which is not needed to ask one

    with reading(store, silence, hooks=hooks) as client:
        return question(client)
