"""The order in which lanes empty; times are for `python -m tests.end_to_end.lanes`."""

from collections.abc import Iterator

import pytest

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.lanes.flood import TEMPLATE, Crowd, query, queue_up
from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

TIMEOUT = 240.0  # seconds

_UNDELIVERED = """
    SELECT count(*) FROM notifications_notification
    WHERE organization_id = %s AND status <> 'delivered'
"""


@pytest.fixture
def worker_runs_afterwards(stack: Stack) -> Iterator[None]:
    """Whatever a test did to it."""
    yield
    stack.platform.stop("email_worker")
    stack.platform.start_process("email_worker")


def order_of_arrival(
    tenant: Tenant, mailbox: SMTPSink, crowds: list[Crowd]
) -> tuple[list[str], list[set[str]]]:
    """Queue the crowds, let the worker loose; the ids as the mails came, and each crowd's ids."""
    tenant.make_template(TEMPLATE)
    address = f"lanes@{tenant.organization_id[-12:]}.example.com"
    made = queue_up(tenant, address, crowds)
    tenant.stack.platform.start_process("email_worker")
    organization = ids.parse_id(ids.ORGANIZATION, tenant.organization_id)
    eventually(
        lambda: query(tenant, _UNDELIVERED, organization)[0][0],
        lambda undelivered: bool(undelivered == 0),
        TIMEOUT,
    )
    return [str(mail["X-Notification-ID"]) for mail in mailbox.mails_to(address)], made


@pytest.mark.usefixtures("worker_runs_afterwards")
def test_what_is_urgent_overtakes_the_bulk_that_was_there_first(
    tenant: Tenant, mailbox: SMTPSink
) -> None:
    crowds = [Crowd(Lane.BULK, 1, 2_000), Crowd(Lane.HIGH, 9, 20)]
    arrived, (bulk, urgent) = order_of_arrival(tenant, mailbox, crowds)
    assert sorted(arrived) == sorted(bulk | urgent)
    last = max(arrived.index(one) for one in urgent)
    assert len(bulk & set(arrived[last:])) >= 1_500


@pytest.mark.usefixtures("worker_runs_afterwards")
def test_bulk_does_not_starve_behind_a_flood_of_urgent_ones(
    tenant: Tenant, mailbox: SMTPSink
) -> None:
    crowds = [Crowd(Lane.HIGH, 9, 500), Crowd(Lane.BULK, 1, 10)]
    arrived, (urgent, bulk) = order_of_arrival(tenant, mailbox, crowds)
    assert sorted(arrived) == sorted(bulk | urgent)
    last = max(arrived.index(one) for one in bulk)
    assert len(urgent & set(arrived[last:])) >= 200
