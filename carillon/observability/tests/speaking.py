"""A process that logs one line of each level."""

import logging

import structlog

from carillon.observability.logging import configure
from carillon.settings import Environment

configure("speaker", Environment())
log = structlog.get_logger("loud").bind(bound=1)
structlog.contextvars.bind_contextvars(correlation_id="one")
for level in ("debug", "info", "warning", "error", "critical"):
    getattr(log, level)(level)
    log.log(getattr(logging, level.upper()), f"log {level}")
try:
    raise ValueError("broken")
except ValueError:
    log.exception("exception")
logging.getLogger("calm").setLevel(logging.ERROR)
calm = structlog.get_logger("calm")
calm.warning("too much")
calm.error("calm error")
