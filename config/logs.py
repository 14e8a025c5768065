"""Logging of every process: one line per event, JSON outside of development, and no secret in any of them."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

MASK = "••••"
SHORTEST_SECRET = 6  # a shorter value would mask innocent words

# A header in any spelling: `Api-Key: x`, {'Api-Key': 'x'}, (b'api-key', b'x'), and with the quotes escaped as in JSON.
HEADER = re.compile(
    r"""
    \b(authorization|proxy-authorization|api-key|x-api-key|client-id|client_secret|access_token)
    (\\?["']?\s*[:=,]\s*(?:b(?=["']))?\\?["']?)
    (?:(?:bearer|basic|token)\s+)?
    [^\s"',;)}\]\\]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
PATTERNS = ((re.compile(r"bot\d+:[\w-]+"), f"bot{MASK}"), (HEADER, rf"\1\2{MASK}"))

BEFORE = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without bot tokens, keys in headers, and the secrets given."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the finished line, so that arguments, extras and tracebacks are covered alike."""

    def __init__(self, *, json: bool, secrets: tuple[str, ...]) -> None:
        # The longest first: a secret that holds another is masked whole.
        self._secrets = tuple(sorted((s for s in secrets if len(s) >= SHORTEST_SECRET), key=len, reverse=True))
        render: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
        if json:
            render += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        else:
            render += [structlog.dev.ConsoleRenderer(colors=False)]
        super().__init__(foreign_pre_chain=[*BEFORE, structlog.stdlib.ExtraAdder()], processors=render)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._secrets)


def configuration(*, level: str, json: bool, secrets: tuple[str, ...]) -> dict[str, Any]:
    """The `LOGGING` of Django; `secrets` are the configured values that must never be printed."""
    structlog.configure(
        processors=[
            *BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": RedactingFormatter, "json": json, "secrets": secrets}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Their lines hold whole addresses, and Telegram's address holds the bot's token.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            # It asks workers that have not started yet, and says so each time.
            "flower.inspector": {"level": "ERROR"},
            # What callers do wrong is told to them; what we do wrong is logged as an error.
            "django.request": {"level": "ERROR"},
            # Django gives these handlers of their own; one line per event is enough.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }
