"""What gunicorn itself says goes to the log redacted: it names whole addresses, queries and all."""

from __future__ import annotations

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

from bridge.log import redacted

#: Of a request that it cannot read it quotes what it took for a version, or for a header: pieces of
#: an address, or of a secret.
_QUOTED = re.compile(r"(Invalid request from ip=\S*: [^:'\n]*)[:'].*", re.DOTALL)


class RedactingFormatter(logging.Formatter):
    """Lines, with their tracebacks, as `bridge.log` lets them through."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return redacted(_QUOTED.sub(r"\1", super().format(record)))


class RedactingLogger(Logger):  # type: ignore[misc]
    """gunicorn's own logger, with that formatter on every line of its error log.

    It has no access log: every answer is logged by the application, by its rule.
    """

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, in each process."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(RedactingFormatter(self.error_fmt, self.datefmt))
