"""What the gateway said of organizations' accounts, for a minute; longer while it says nothing."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from carillon.clients.http import ServiceDown
from carillon.contracts.provider_accounts import ActiveAccounts
from carillon.worker import metrics
from carillon.worker.accounts.source import AccountSource

log = structlog.get_logger(__name__)

FRESH_SECONDS = 60.0
# While the gateway is away; a deactivated account may be used for so long, and no longer.
STALE_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 5.0
MOST_ORGANIZATIONS = 10_000


@dataclass(slots=True)
class _Entry:
    """One organization. `asking` is held by the thread that asks; the others wait for it."""

    asking: threading.Lock = field(default_factory=threading.Lock)
    active: ActiveAccounts | None = None
    said_at: float = 0.0
    ask_at: float = float("-inf")


class AccountCache:
    """The accounts of one channel, by organization; that there are none is remembered too."""

    def __init__(
        self,
        source: AccountSource,
        channel: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_ORGANIZATIONS,
    ) -> None:
        self._source = source
        self._channel = channel
        self._clock = clock
        self._most = most
        self._guard = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def __len__(self) -> int:
        """How many organizations are remembered."""
        return len(self._entries)

    def find(
        self, organization_id: str, before_asking: Callable[[], None] = lambda: None
    ) -> ActiveAccounts | None:
        """The active accounts in their order; None while nobody can say which.

        What is older than a minute is asked for anew, by one thread, before it is used.
        """
        entry = self._entry(organization_id)
        if self._clock() >= entry.ask_at:
            before_asking()
            with entry.asking:
                if self._clock() >= entry.ask_at:
                    self._ask(organization_id, entry)
        if entry.active is None or self._clock() - entry.said_at >= STALE_SECONDS:
            return None
        return entry.active

    def _ask(self, organization_id: str, entry: _Entry) -> None:
        began = self._clock()
        try:
            active = self._source.fetch(organization_id, self._channel)
        except ServiceDown:
            metrics.ACCOUNT_LOOKUPS.labels(self._channel, "failed").inc()
            log.warning(
                "accounts cannot be asked for",
                channel=self._channel,
                organization_id=organization_id,
                known=entry.active is not None,
            )
            entry.ask_at = self._clock() + ASK_AGAIN_SECONDS
            return
        result = "found" if active.accounts else "none"
        metrics.ACCOUNT_LOOKUPS.labels(self._channel, result).inc()
        entry.active, entry.said_at = active, began
        entry.ask_at = began + FRESH_SECONDS

    def _entry(self, organization_id: str) -> _Entry:
        with self._guard:
            entry = self._entries.get(organization_id)
            if entry is None:
                entry = self._entries[organization_id] = _Entry()
                if len(self._entries) > self._most:
                    self._entries.popitem(last=False)
            else:
                self._entries.move_to_end(organization_id)
            return entry
