"""How a name of the plugin contract goes: it warns for one minor version, and then it is gone."""

from __future__ import annotations

import warnings


class HookrtDeprecation(DeprecationWarning):
    """Something of `hookrt.plugin` or `hookrt.testing` that the next minor version no longer has."""


def warn_deprecated(what: str, *, until: str, instead: str, stacklevel: int = 2) -> None:
    """Warn whoever called the caller that `what` is gone in version `until`, and what there is `instead`.

    pytest shows it; a project that turns warnings into errors (as `hookrt plugins new` writes it) fails at the line.
    """
    text = f"{what} is deprecated and will be gone in hookrt {until}: use {instead}"
    warnings.warn(text, HookrtDeprecation, stacklevel=stacklevel + 1)
