"""Logging: one event a line on stdout, JSON in production, readable locally, masked in both."""

import logging
import logging.config
import sys
from typing import Any

import structlog

from carillon.observability.masking import mask_event
from carillon.settings import Environment

_METHODS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
}


def configure(service: str, env: Environment) -> None:
    """Set up structlog and the standard library's logging for this process.

    LOG_FORMAT is json (default) or console; LOG_LEVEL is a standard level name.
    """
    style = env.choice("LOG_FORMAT", "json", ("json", "console"))
    level = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
    logging.config.dictConfig(log_config(service, style, level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(service),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=_logger_from(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _logger_from(level: str) -> type[structlog.stdlib.BoundLogger]:
    """A logger whose methods below `level` do nothing, before a line is made to be dropped.

    A level that is set later, for one logger or for all, can thus only ask for less.
    """
    least = logging.getLevelNamesMapping()[level]
    unwanted = {name: _nothing for name, number in _METHODS.items() if number < least}
    return type("BoundLogger", (structlog.stdlib.BoundLogger,), unwanted)


def _nothing(_logger: object, _event: str | None = None, *_args: Any, **_fields: Any) -> None:
    """Instead of a line that nobody asked for."""


def log_config(service: str, style: str, level: str) -> dict[str, Any]:
    """A `logging.config.dictConfig` that also renders the lines of other libraries."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "carillon": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared(service),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_rendering(style),
                ],
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": sys.stdout,
                "formatter": "carillon",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Connection attempts and frames; our own broker logs what matters.
            "pika": {"level": "CRITICAL"},
            "urllib3": {"level": "WARNING"},
            # carillon.web logs each request and each unhandled error itself.
            "django.request": {"level": "CRITICAL"},
        },
    }


def _shared(service: str) -> list[Any]:
    def add_service(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
    ]


def _rendering(style: str) -> list[Any]:
    if style == "json":
        return [
            # Never the locals: they hold addresses and secrets.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            mask_event,
            structlog.processors.JSONRenderer(),
        ]
    return [
        _readable,
        structlog.processors.format_exc_info,
        mask_event,
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=28),
    ]


def _readable(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """The supervisor names the process and people read local time: drop what they would skip."""
    event.pop("service", None)
    event["timestamp"] = str(event.get("timestamp", ""))[11:23]
    return event
