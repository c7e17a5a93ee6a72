"""hookrt: a hook runtime. Events come in, hooks from YAML match them, their actions run: durably, in order.

Embedders need three names from here: `Runtime`, `Event` and `HookrtError`. They are loaded when first used, so that
`import hookrt` costs next to nothing. Plugin authors import `hookrt.plugin` and `hookrt.testing` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookrt import outbox
    from hookrt.errors import HookrtError
    from hookrt.model.decision import Decision
    from hookrt.model.event import Event
    from hookrt.runtime import Runtime
    from hookrt.signing import verify

__all__ = ["Decision", "Event", "HookrtError", "Runtime", "outbox", "verify"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    found: Any = None
    if name == "Decision":
        from hookrt.model.decision import Decision as found  # noqa: PLC0415
    elif name == "Event":
        from hookrt.model.event import Event as found  # noqa: PLC0415
    elif name == "HookrtError":
        from hookrt.errors import HookrtError as found  # noqa: PLC0415
    elif name == "Runtime":
        from hookrt.runtime import Runtime as found  # noqa: PLC0415
    elif name == "verify":
        from hookrt.signing import verify as found  # noqa: PLC0415
    elif name == "outbox":
        import hookrt.outbox as found  # noqa: PLC0415
    else:
        raise AttributeError(f"module 'hookrt' has no attribute {name!r}")
    globals()[name] = found
    return found
