"""What clients ask for where one request each is not the question."""

from datetime import UTC, datetime, timedelta, timezone

from tests.end_to_end.faults.load import Order
from tests.end_to_end.faults.scenario import QUOTA_EXCEEDED, Experiment, Scale

# Seconds.
DUE_IN = 4.0
DUE_IN_PATIENT = 20.0
# What Berlin's clocks say on both sides of the hour that comes twice, and UTC.
OFFSETS = (timezone(timedelta(hours=2)), timezone(timedelta(hours=1)), UTC)


def repeated(code: str, scale: Scale) -> list[Order]:
    """Each request `copies` times, at once: with as many clients, each sends one of them."""
    different = max(1, scale.count // scale.copies)
    return [
        Order(f"{code}-{number}", {"template_code": code})
        for number in range(different)
        for _ in range(scale.copies)
    ]


def one_row_each(experiment: Experiment) -> None:
    """As many notifications as request_ids."""
    asked = {order.request_id for order in experiment.load.orders}
    promised = len(experiment.load.promised)
    experiment.note(f"{len(experiment.load.orders)} requests, {len(asked)} request_ids")
    experiment.expect(promised == len(asked), f"{promised} notifications for {len(asked)} ids")


def scheduled(code: str, scale: Scale) -> list[Order]:
    """All for the same instant, said in several ways."""
    due = datetime.now(UTC) + timedelta(seconds=DUE_IN_PATIENT if scale.patient else DUE_IN)
    return [
        Order(
            f"{code}-{number}",
            {
                "template_code": code,
                "scheduled_at": due.astimezone(OFFSETS[number % len(OFFSETS)]).isoformat(),
            },
        )
        for number in range(scale.count)
    ]


def wait_for_the_instant(experiment: Experiment) -> None:
    """Both relays see every row become due at once."""
    left = (_due(experiment) - datetime.now(UTC)).total_seconds()
    experiment.expect(left > 0, "the load began too late")
    experiment.load.wait_until_done(1.0)
    experiment.arena.pause(max(0.0, left) + 1.0)


def not_before_its_time(experiment: Experiment) -> None:
    """No provider has it earlier than it was asked for."""
    ledger = experiment.arena.provider.accepted()
    due = _due(experiment).timestamp()
    times = [at for one in experiment.load.promised for at in ledger.get(one, ())]
    early = sum(at < due for at in times)
    experiment.expect(early == 0, f"{early} were early")
    if times:
        experiment.note(f"delivered {min(times) - due:.2f} to {max(times) - due:.2f} s after it")


def quota_of(scale: Scale) -> int:
    """Half of what will be asked for."""
    return scale.count // 2


def exactly_the_quota(experiment: Experiment) -> None:
    """Neither one more nor, once Redis is back, one less."""
    quota, promised = quota_of(experiment.scale), len(experiment.load.promised)
    refused = experiment.load.statuses()[QUOTA_EXCEEDED]
    experiment.note(f"{promised} of a quota of {quota}, {refused} times 429")
    experiment.expect(promised == quota, f"{promised} accepted with a quota of {quota}")


def _due(experiment: Experiment) -> datetime:
    return datetime.fromisoformat(experiment.load.orders[0].body["scheduled_at"])
