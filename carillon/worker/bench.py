"""What the threads of a channel share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from carillon.broker.delivery import Delivery
from carillon.contracts.messages import DeliveryJob, Mode
from carillon.worker.accounts.orders import AccountOrders
from carillon.worker.admission import Admission
from carillon.worker.dedupe import DedupeLedger
from carillon.worker.hands import Hand, Hands
from carillon.worker.isolation import Isolation
from carillon.worker.lanes import LaneQueues
from carillon.worker.outcomes import utc_now
from carillon.worker.pace import Pace
from carillon.worker.reporting import Report
from carillon.worker.routing import ProviderOrder

Work = Delivery | Hand


@dataclass(frozen=True, slots=True)
class Bench:
    """Made once by the channel's desk."""

    channel: str
    queues: LaneQueues[Work]
    hands: Hands
    ledger: DedupeLedger
    admission: Admission
    live: ProviderOrder
    sandbox: ProviderOrder
    report: Callable[[list[Report]], None]
    isolation: Isolation
    park: Callable[[Hand, float], None]
    reject: Callable[[Delivery], None]
    pace: Pace
    now: Callable[[], datetime] = utc_now
    accounts: AccountOrders | None = None

    def order_for(self, job: DeliveryJob, before_waiting: Callable[[], None]) -> ProviderOrder:
        """The providers for a job, to be given back: its organization's own, or the platform's.

        A test key's messages never leave the sandbox.
        """
        if job.mode is Mode.TEST:
            return self.sandbox
        if self.accounts is None:
            return self.live
        borrowed = self.accounts.borrow(job.organization_id, before_waiting, self.live)
        return borrowed or self.live
