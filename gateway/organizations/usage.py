"""When a key was last used: written at most once a minute."""

import threading
import time
from datetime import UTC, datetime, timedelta

import structlog
from django.db import DatabaseError
from django.db.models import Q

from gateway.organizations.models import APIKey

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60
_MOST_KEYS = 10_000

_lock = threading.Lock()
_noted: dict[str, float] = {}


def note_key_use(key_id: str) -> None:
    """Set `last_used_at` to now, unless any process did so within the last minute."""
    now = time.monotonic()
    if now - _noted.get(key_id, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    with _lock:
        if len(_noted) >= _MOST_KEYS:
            _noted.clear()
        _noted[key_id] = now
    at = datetime.now(UTC)
    a_minute_ago = at - timedelta(seconds=EVERY_SECONDS)
    try:
        APIKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=a_minute_ago), pk=key_id
        ).update(last_used_at=at)
    except DatabaseError as error:
        # Nobody's request fails for this; if the database is gone, it fails for that.
        log.warning("last_used_at not written", error=type(error).__name__)
