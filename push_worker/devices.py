"""One notification to the several devices of a user, within what one outcome can say."""

from collections.abc import Callable

import structlog

from carillon.contracts.messages import Address, DeliveryJob
from carillon.contracts.provider import Acceptance, OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure

log = structlog.get_logger(__name__)


def send_to_each(
    job: DeliveryJob, platforms: frozenset[str], send: Callable[[Address], str]
) -> Acceptance:
    """Call `send` for each device of `platforms`; one that accepts is enough.

    `send` gives the provider's id or raises. Trouble of the provider's ends the round: the other
    devices would meet the same, and a timeout each. Devices that were not
    reached once another had accepted stay unreached: a further attempt would ring the first one
    again. An event has one outcome, so each dead token is a log line, with its device's id.

    Raises PermanentFailure, TemporaryFailure or OutcomeUnknown where no device accepted.
    """
    devices = [address for address in job.addresses if address.platform in platforms]
    if not devices:
        # Temporary, so that the next provider of the channel is asked; `other`, so that this
        # one's breaker takes no notice.
        raise TemporaryFailure(
            "None of the devices is of this provider's platform.", reason=Reason.OTHER
        )
    accepted: list[str] = []
    failures: list[DeliveryFailure] = []
    for device in devices:
        try:
            accepted.append(send(device))
        except DeliveryFailure as failure:
            failures.append(failure)
            _tell(job, device, failure)
            if not isinstance(failure, PermanentFailure):
                break
    if accepted:
        return Acceptance(accepted[0])
    raise _worst(failures)


def _tell(job: DeliveryJob, device: Address, failure: DeliveryFailure) -> None:
    log.info(
        "dead device token" if failure.reason is Reason.DEAD_TOKEN else "device not reached",
        device_id=device.device_id,
        platform=device.platform,
        reason=failure.reason,
        code=failure.code,
        notification_id=job.notification_id,
        organization_id=job.organization_id,
        user_id=job.user_id,
        correlation_id=job.correlation_id,
    )


def _worst(failures: list[DeliveryFailure]) -> DeliveryFailure:
    """What leaves the most open: unknown, then temporary, then what is not merely a dead token."""
    for kind in (OutcomeUnknown, TemporaryFailure):
        for failure in failures:
            if isinstance(failure, kind):
                return failure
    alive = [failure for failure in failures if failure.reason is not Reason.DEAD_TOKEN]
    return alive[0] if alive else failures[0]
