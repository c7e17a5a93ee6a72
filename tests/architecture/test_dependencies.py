"""What an installation brings along: `hookrt` for embedding and plugins, `hookrt[serve]` for the service."""

import importlib.metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EMBEDDED_CEILING = 24
"""Distributions that `pip install hookrt` may install, itself included."""

SERVICE_CEILING = 41
"""Distributions that `pip install hookrt[serve]` may install, itself included."""

WEB = {"fastapi", "starlette", "uvicorn", "typer", "rich", "prometheus-client", "jinja2", "uvloop", "pydantic-settings"}


def closure(*roots):
    """The names of all distributions that these requirements install here."""
    waiting = [Requirement(root) for root in roots]
    done = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in sorted({"", *requirement.extras}):
            if (name, extra) in done:
                continue
            done.add((name, extra))
            needed = map(Requirement, importlib.metadata.requires(name) or ())
            waiting += [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {name for name, _ in done}


def test_the_embedded_closure_stays_small():
    found = closure("hookrt")
    assert len(found) <= EMBEDDED_CEILING, sorted(found)


def test_the_embedded_closure_has_no_web_framework():
    assert closure("hookrt") & WEB == set()


def test_the_closure_of_the_service_stays_small():
    found = closure("hookrt[serve]")
    assert len(found) <= SERVICE_CEILING, sorted(found)


def test_nothing_that_only_tests_need_is_installed_with_hookrt():
    assert closure("hookrt[serve]") & {"pytest", "hypothesis", "aiohttp", "standardwebhooks", "mypy", "ruff"} == set()
