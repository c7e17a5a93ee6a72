"""The log: structlog on top of the standard library's logging.

Everything in hookrt logs through `get_log`, which configures nothing: in an embedding program the lines go wherever
that program sends the logger `hookrt`. Only the service calls `configure_logging`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

from hookrt.observability.line import LogLine, show_value
from hookrt.observability.service_format import ServiceFormatter, ServiceHandler, render_console, render_json
from hookrt.plugin.blame import describe_error

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger
    from structlog.typing import EventDict, Processor

Format = Literal["auto", "console", "json"]
Mask = Callable[[str], str]

LEVELS = ("debug", "info", "warning", "error")
"""The levels that `configure_logging` knows."""

_PASSED_ON = ("exc_info", "stack_info", "stacklevel")
_CHATTY = ("httpx", "httpcore", "asyncio", "urllib3", "aiohttp")
"""Libraries whose lower levels tell of every request, with headers and URLs that may hold secrets."""


def get_log(name: str, mask: Mask | None = None, **fields: Any) -> BoundLogger:
    """A structured log below the logger `hookrt`; `fields` stand on each of its lines.

    `mask` is applied to every text before it leaves: an embedding program's formatters know nothing of secrets.
    """
    import structlog  # noqa: PLC0415 - it costs 0.1 s, which only those who log should pay

    full = name if name.partition(".")[0] == "hookrt" else f"hookrt.{name}"
    bound: BoundLogger = structlog.wrap_logger(
        logging.getLogger(full),
        processors=_processors(mask),
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        **fields,
    ).bind()
    return bound


def configure_logging(
    format: Format = "auto",
    level: str = "info",
    mask: Mask = str,
    stream: TextIO | None = None,
) -> None:
    """Send the whole process's log to the stream (standard error), in one format; for the service only.

    `auto` is `console` on a terminal (with colours, unless NO_COLOR is set) and `json` elsewhere. Every rendered line
    passes through `mask`. The loggers of uvicorn, of libraries and of plugins that use structlog or logging are
    included. A second call replaces the first. Raises ValueError for an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no log level: use one of {', '.join(LEVELS)}")
    target = sys.stderr if stream is None else stream
    console = format == "console" or (format == "auto" and target.isatty())
    colours = console and target.isatty() and not os.environ.get("NO_COLOR")
    render = render_console(colours) if console else render_json()
    handler = ServiceHandler(target)
    handler.setFormatter(ServiceFormatter(render, mask, stacks=level == "debug"))
    _take_over(handler, getattr(logging, level.upper()))
    _configure_structlog()


def _take_over(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, ServiceHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)  # noqa: FBT003 - the library's own signature
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for uvicorn in map(logging.getLogger, ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")):
        uvicorn.handlers.clear()
        uvicorn.propagate = True


def _configure_structlog() -> None:
    """For plugins that use `structlog.get_logger()`: their lines join the service's."""
    import structlog  # noqa: PLC0415 - see get_log

    structlog.configure(
        processors=_processors(None),
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        context_class=dict,
        cache_logger_on_first_use=True,
    )


def _processors(mask: Mask | None) -> list[Processor]:
    from structlog.stdlib import filter_by_level  # noqa: PLC0415 - see get_log

    return [filter_by_level, _hand_over if mask is None else _masked_by(mask)]


def _hand_over(logger: Any, method: str, line: EventDict) -> tuple[tuple[LogLine], dict[str, Any]]:
    """The last processor: arguments for the standard library's logger."""
    passed = {key: line.pop(key) for key in _PASSED_ON if key in line}
    event = str(line.pop("event", ""))
    if arguments := line.pop("positional_args", ()):
        event = " ".join([event, *map(str, arguments)])
    return (LogLine(event, line),), passed


def _masked_by(mask: Mask) -> Processor:
    def hand_over(logger: Any, method: str, line: EventDict) -> tuple[tuple[LogLine], dict[str, Any]]:
        (plain,), passed = _hand_over(logger, method, line)
        hidden = dict(_masked_fields(plain.fields, mask))
        if error := passed.get("exc_info"):
            hidden.setdefault("error", mask(_error_text(error)))
            passed["exc_info"] = None
        return (LogLine(mask(plain.event), hidden),), passed

    return hand_over


def _masked_fields(fields: Mapping[str, Any], mask: Mask) -> Iterator[tuple[str, Any]]:
    for key, value in fields.items():
        if value is None or isinstance(value, (bool, int, float)):
            yield key, value
        else:
            yield key, mask(value if isinstance(value, str) else show_value(value))


def _error_text(error: Any) -> str:
    found = error if isinstance(error, BaseException) else sys.exc_info()[1]
    return describe_error(found) if found is not None else ""
