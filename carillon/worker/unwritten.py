"""The outcomes of a thread that are not yet in Redis."""

from collections.abc import Callable, Sequence

from carillon.worker import metrics
from carillon.worker.dedupe import DedupeLedger, Done, Finished, Marker
from carillon.worker.hands import Hand
from carillon.worker.redis_link import RedisUnavailable
from carillon.worker.reporting import Report
from carillon.worker.tally import Tally
from carillon.worker.telling import log_outcome


class Unwritten:
    """Outcomes wait here for the next jobs' markers, to travel with them in one round trip.

    They are those of one turn at most, and never wait while the thread waits for anything. Their
    events go when they are written, also where Redis is away: this process remembers them.
    """

    def __init__(
        self,
        channel: str,
        ledger: DedupeLedger,
        report: Callable[[list[Report]], None],
        written: Callable[[], None],
    ) -> None:
        """`written` is called whenever nothing waits any more."""
        self._channel = channel
        self._ledger = ledger
        self._report = report
        self._written = written
        self._reports: list[Report] = []
        self.tally = Tally()

    def __len__(self) -> int:
        return len(self._reports)

    def add(self, hand: Hand, done: Done) -> None:
        """Keep an outcome until the next trip."""
        self._ledger.remember(hand.message_id, done)
        self._reports.append(Report(hand, done))
        self.tally.ended(hand.job, done)
        log_outcome(hand.job, done)

    def begin(self, message_ids: Sequence[str], at: float) -> list[Marker | None]:
        """Write the outcomes and mark these attempts as begun. Raises RedisUnavailable."""
        try:
            return self._ledger.finish_and_begin(self._finished(), message_ids, at)
        finally:
            self._tell()

    def write(self) -> None:
        """Write the outcomes, if there are any."""
        if not self._reports:
            return
        try:
            self._ledger.finish(self._finished())
        except RedisUnavailable:
            # This process remembers; another one that got the job would find `started`.
            metrics.UNWRITTEN.labels(self._channel).inc(len(self._reports))
        finally:
            self.tally.count()
            self._tell()

    def _finished(self) -> Finished:
        return [(report.hand.message_id, report.done) for report in self._reports]

    def _tell(self) -> None:
        reports, self._reports = self._reports, []
        self._written()
        if reports:
            self._report(reports)
