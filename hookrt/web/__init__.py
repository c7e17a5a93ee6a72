"""HTTP: the service's, and for programs that embed the runtime `runtime_app` and `with_runtime`.

`runtime_app` needs what `pip install 'hookrt[serve]'` brings, `with_runtime` nothing; both are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookrt.web.lifespan import with_runtime
    from hookrt.web.mounting import runtime_app

__all__ = ["runtime_app", "with_runtime"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    found: Any = None
    if name == "with_runtime":
        from hookrt.web.lifespan import with_runtime as found  # noqa: PLC0415
    elif name == "runtime_app":
        try:
            from hookrt.web.mounting import runtime_app as found  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("hookrt"):
                raise
            raise ImportError(f"runtime_app needs {error.name}: pip install 'hookrt[serve]'") from None
    else:
        raise AttributeError(f"module 'hookrt.web' has no attribute {name!r}")
    globals()[name] = found
    return found
