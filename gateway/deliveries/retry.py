"""When a notification whose attempt failed temporarily is tried again."""

from dataclasses import dataclass

# Half of the width of the jitter, as a share of the delay: what failed together is spread.
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when. `delays` are seconds after each attempt; the last one repeats."""

    max_attempts: int
    delays: tuple[float, ...]
    # A provider may name a later time, up to this many seconds.
    retry_after_most: float

    def allows_after(self, attempts: int) -> bool:
        """Whether another attempt may follow `attempts` of them."""
        return attempts < self.max_attempts

    def delay_after(self, attempts: int, retry_after: float | None, dice: float) -> float:
        """Seconds until the attempt that follows `attempts` of them (1 or more).

        `dice` in 0..1 chooses within the jitter. Never earlier than the provider asked for.
        """
        step = self.delays[min(attempts, len(self.delays)) - 1]
        delay = step * (1 + JITTER * (2 * dice - 1))
        if retry_after is None or retry_after <= 0:
            return delay
        asked = min(retry_after, self.retry_after_most)
        return max(delay, asked * (1 + JITTER * dice))
