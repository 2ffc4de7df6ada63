"""What a ratio must be and is meant to be: the promise that the results are held against."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Target:
    """`must` is promised, `aim` is meant; `lower` where a smaller ratio is the better one."""

    name: str
    must: float
    aim: float | None = None
    lower: bool = False

    def of(self, what: str) -> "Target":
        """The same for one of several things."""
        return replace(self, name=f"{what}: {self.name}")

    def verdict(self, ratio: float) -> str:
        """ "aim", "must" or "missed"."""
        if self.aim is not None and self._holds(ratio, self.aim):
            return "aim"
        return "must" if self._holds(ratio, self.must) else "missed"

    def _holds(self, ratio: float, bound: float) -> bool:
        return ratio <= bound if self.lower else ratio >= bound

    def bound(self, value: float | None) -> str:
        """A bound for people: ">= 0.22"."""
        return "" if value is None else f"{'<=' if self.lower else '>='} {value:g}"


ACCEPT_TO_EMPTY = Target("accept / empty REST framework view", 0.22, 0.35)
CPU_TO_EMPTY = Target("CPU per accept / that of the empty view", 3.0, 2.3, lower=True)
ACCEPT_TO_RECIPE = Target("accept / Django + Celery recipe", 2.5, 4.0)
BULK_TO_RECIPE = Target("bulk recipients / recipe's loop", 20.0, 40.0)
RELAY_TO_PIKA = Target("relay / pika SelectConnection", 0.4, 0.7)
WORKER_TO_CELERY = Target("worker, 2 processes / Celery send_mail", 4.0, 5.5)
WORKER_TO_DRAMATIQ = Target("worker, 2 processes / dramatiq send_mail", 2.5, 3.3)
WORKER_TO_SMTPLIB = Target("worker, 1 process / bare smtplib loop", 0.30, 0.5)
END_TO_END_TO_RECIPE = Target("delivered end to end / recipe", 4.0, 8.0)
EVENTS_TO_UPDATE = Target("events / one UPDATE per event", 3.0, 6.0)
EVENTS_TO_BARE_UPDATE = Target("events / UPDATEs without RabbitMQ", 3.0, 6.0)
URGENT_IN_FLOOD = Target("p95 of the high lane in a flood / idle", 3.0, 1.5, lower=True)
# The page of a table of a million rows beside that of ten thousand: no growth, with some noise.
READING_GROWTH = Target("p95 of the large table / of the small one", 1.5, lower=True)
MEMORY_GROWTH = Target("memory after 100,000 / after the first 10,000", 1.1, lower=True)
