"""Many notifications at once, as if a client had asked for each."""

from uuid import UUID

from benchmarks.harness.broker import take_one
from benchmarks.harness.calls import answered
from benchmarks.harness.ground import TEMPLATE, VARIABLES, Ground
from carillon.broker import topology
from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryJob, decode_job
from deploy.local.errors import StackError
from tests.end_to_end.lanes.flood import copies

EMAIL = "email"
QUEUE = topology.queue_for(EMAIL, Lane.NORMAL)
JOB_TIMEOUT = 120.0  # seconds


def accept_one(ground: Ground) -> str:
    """The id of a notification that the gateway accepted. Raises StackError."""
    answer = answered(
        lambda: ground.tenant.send(EMAIL, ground.user_id, TEMPLATE, variables=VARIABLES)
    )
    if answer.status_code != 202:
        raise StackError(f"the gateway answered {answer.status_code}: {answer.text}")
    return str(answer.json()["data"]["notification_id"])


def fill_outbox(ground: Ground, count: int) -> list[UUID]:
    """So many notifications that wait to be published; the gateway runs, the relay does not."""
    seed = accept_one(ground)
    made = [seed, *copies(ground.tenant, seed, count - 1)]
    return [one for each in made if (one := ids.parse_id(ids.NOTIFICATION, each))]


def example_job(ground: Ground) -> DeliveryJob:
    """A job as the relay makes it, out of an otherwise empty queue. The worker must not run."""
    accept_one(ground)
    return decode_job(take_one(ground.rabbitmq.url, QUEUE, JOB_TIMEOUT))
