"""Logs as events: JSON lines for machines, plain lines on a terminal, and no secret in either."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|authorization|cookie|api_?key|credential", re.IGNORECASE
)
#: What is taken out of any text, in this order, and what stands there instead.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The query of an address, whatever it holds; /xapi puts whole statements there.
    (re.compile(r"(?<=[\w/\]])\?[\w.%~\[\]-]+=[^\s'\"<>)]*"), f"?{REDACTED}"),
    # User name and password in an address, as in a database URL.
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), f"{REDACTED}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    # name=value and "name": "value", as in a form or in JSON.
    (
        re.compile(
            r"(\b\w*(?:token|secret|password|passwd|api_?key)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # A person's own token, the secret in a webhook's address, or the one that signs a webhook,
    # wherever it strayed.
    (re.compile(r"\b(?:cb|wh)_[\w-]{20,}|\bwhsec_[\w+/=-]{20,}"), REDACTED),
    (re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"), "(address)"),
)
_NOISY = {
    "alembic": "WARNING",
    "urllib3": "WARNING",
    "waitress": "WARNING",
    # It warns whenever a job comes round while it is still at work, which is as meant.
    "apscheduler": "ERROR",
}


def redacted(text: str) -> str:
    """`text` without tokens, passwords, query strings and email addresses."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
    return {name: _without_secrets(name, value) for name, value in event.items()}


def _without_secrets(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value:
        return REDACTED
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {str(key): _without_secrets(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redacted(str(value))


def set_up(stream: TextIO | None = None, *, level: str = "INFO") -> None:
    """Send every log line of the process to `stream` (standard error), redacted.

    One JSON object a line, or words where a person watches a terminal.
    """
    out = stream or sys.stderr
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=True)
        if out.isatty()
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # The traceback becomes text first, so that it is redacted like the rest.
                structlog.processors.format_exc_info,
                _redact,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, threshold in _NOISY.items():
        logging.getLogger(name).setLevel(threshold)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
