"""Amazon SES: its events and notifications, as SNS delivers them.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import structlog

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.errors import Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.providers.sns import SNSMessage, SNSVerifier
from gateway.callbacks.requests import (
    Callback,
    check_age,
    decode_json,
    decode_proof,
    field,
    iso_time,
    objects,
    text,
)

log = structlog.get_logger(__name__)

# The name of the object that tells more is the event's, but for the case of its first letter.
KINDS: Mapping[str, Kind] = {
    "Delivery": Kind.DELIVERED,
    "Bounce": Kind.BOUNCED,
    "Complaint": Kind.COMPLAINED,
    "Reject": Kind.REJECTED,
    "Open": Kind.OPENED,
    "Click": Kind.CLICKED,
    "DeliveryDelay": Kind.DEFERRED,
    "Subscription": Kind.UNSUBSCRIBED,
    "Rendering Failure": Kind.FAILED,
}
_OBJECTS: Mapping[str, str] = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}
# Of a bounce that is not permanent. The address itself may be good.
_SOFT: Mapping[str, Reason] = {
    "MessageTooLarge": Reason.PAYLOAD_TOO_LARGE,
    "ContentRejected": Reason.INVALID_CONTENT,
    "AttachmentRejected": Reason.INVALID_CONTENT,
}


class SESCallbacks:
    """Messages of the topics that are ours, signed by SNS."""

    name = "ses"

    def __init__(
        self, topics: frozenset[str], verifier: SNSVerifier, replay_seconds: float
    ) -> None:
        self._topics = topics
        self._verifier = verifier
        self._replay_seconds = replay_seconds

    def verify(self, callback: Callback) -> None:
        """Raises Unverified or CannotVerify."""
        message = _message(callback)
        # First: anybody may have a topic of their own, with a signature that is as good.
        if text(message.get("TopicArn")) not in self._topics:
            raise Unverified("topic")
        signed_at = self._verifier.verify(message, callback.received_at)
        check_age(signed_at, callback.received_at, self._replay_seconds)

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Confirms a subscription too. Raises Unreadable, Unverified or CannotVerify."""
        message = _message(callback)
        kind = message.get("Type")
        if kind == "SubscriptionConfirmation":
            self._verifier.confirm(message)
            log.info("subscribed to a topic", topic=message["TopicArn"])
        elif kind == "UnsubscribeConfirmation":
            log.warning("a topic reports to us no longer", topic=message["TopicArn"])
        else:
            said = decode_json(text(message.get("Message")))
            read = _event(said) if isinstance(said, dict) else None
            if read is not None:
                yield read


def _message(callback: Callback) -> dict[str, Any]:
    """Raises Unverified: what is none was not signed."""
    given = msgspec.structs.asdict(decode_proof(callback.body, SNSMessage))
    return {name: value for name, value in given.items() if value is not None}


def _event(said: dict[str, Any]) -> ProviderEvent | None:
    name = text(said.get("eventType") or said.get("notificationType"))
    kind = KINDS.get(name)
    message_id = text(field(said, "mail", "messageId"))
    if kind is None or not message_id:
        return None
    details = said.get(_OBJECTS.get(name, name.lower()))
    if kind is Kind.UNSUBSCRIBED and not _left(details):
        return None
    reason, suppress = _meaning(kind, details)
    return ProviderEvent(
        provider="ses",
        provider_message_id=message_id,
        kind=kind,
        reason=reason,
        suppress=suppress,
        code=text(field(details, "bounceSubType") or field(details, "complaintFeedbackType")),
        message=_explanation(details) if reason else "",
        occurred_at=iso_time(field(details, "timestamp")),
        key=text(field(details, "feedbackId")),
    )


def _left(details: Any) -> bool:
    """Whether somebody left a list that they had been on."""
    return field(details, "newTopicPreferences", "unsubscribeAll") is True


def _meaning(kind: Kind, details: Any) -> tuple[Reason | None, SuppressionReason | None]:
    match kind:
        case Kind.BOUNCED if text(field(details, "bounceType")) == "Permanent":
            return Reason.BOUNCED, SuppressionReason.HARD_BOUNCE
        case Kind.BOUNCED:
            return _SOFT.get(text(field(details, "bounceSubType")), Reason.OTHER), None
        case Kind.COMPLAINED:
            return None, _complaint(details)
        case Kind.UNSUBSCRIBED:
            return None, SuppressionReason.UNSUBSCRIBE
        case Kind.REJECTED | Kind.FAILED:
            return Reason.INVALID_CONTENT, None
        case _:
            return None, None


def _complaint(details: Any) -> SuppressionReason | None:
    """`not-spam`: somebody took the mail out of the junk folder."""
    is_praise = field(details, "complaintFeedbackType") == "not-spam"
    return None if is_praise else SuppressionReason.COMPLAINT


def _explanation(details: Any) -> str:
    """The receiving server's words."""
    bounced = objects(field(details, "bouncedRecipients"))
    diagnosis = text(bounced[0].get("diagnosticCode")) if bounced else ""
    return diagnosis or text(field(details, "reason") or field(details, "errorMessage"))
