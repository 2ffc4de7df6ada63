"""What a thread has to count: kept for some turns, so that each metric is written once for many."""

from carillon.contracts.messages import DeliveryJob
from carillon.worker import metrics
from carillon.worker.dedupe import Done
from carillon.worker.sending import Answered
from carillon.worker.telling import count_outcomes

MOST = 50


class Tally:
    """For one thread. It counts when there is enough, and before the thread waits for work."""

    def __init__(self) -> None:
        self._ended: list[tuple[DeliveryJob, Done]] = []
        self._called: dict[tuple[str, str, str], list[tuple[DeliveryJob, Answered]]] = {}

    def ended(self, job: DeliveryJob, done: Done) -> None:
        """A job came to an end."""
        self._ended.append((job, done))
        if len(self._ended) >= MOST:
            self.count()

    def called(self, provider: str, job: DeliveryJob, how: Answered) -> None:
        """A provider was called for a job."""
        self._called.setdefault((job.channel, job.lane.value, provider), []).append((job, how))

    def count(self) -> None:
        """Write it all to the metrics."""
        if self._ended:
            count_outcomes(self._ended)
            self._ended = []
        for (channel, lane_name, provider), calls in self._called.items():
            lane = metrics.lane_metrics(channel, lane_name)
            waited = [_waited(how, job.queued_at.timestamp()) for job, how in calls]
            metrics.observe_all(lane.queue_seconds, waited)
            waited = [_waited(how, job.accepted_at.timestamp()) for job, how in calls]
            metrics.observe_all(lane.accepted_seconds, waited)
            took = metrics.call_seconds(channel, provider)
            metrics.observe_all(took, [how.seconds for _, how in calls])
            for kind, count in metrics.counted([how.kind for _, how in calls]).items():
                metrics.calls(channel, provider, kind).inc(count)
        self._called = {}


def _waited(how: Answered, since: float) -> float:
    # Clocks of two hosts may differ by more than the wait.
    return max(0.0, how.started_at.timestamp() - since)
