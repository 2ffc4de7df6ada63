"""What AMQP cannot carry is refused before it reaches the I/O thread."""

import pytest

from carillon.broker.errors import MessageRefused
from carillon.broker.messages import OutgoingMessage, Route, check_message


def message(**changes: object) -> OutgoingMessage:
    fields: dict[str, object] = {
        "route": Route("exchange", "key"), "body": b"{}", "message_id": "notif_1:1", **changes
    }  # fmt: skip
    return OutgoingMessage(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "good",
    [
        message(),
        message(message_id="x" * 255),
        message(message_id="é" * 127),
        message(correlation_id="c" * 1000, traceparent="t" * 1000),
    ],
)
def test_what_fits_passes(good: OutgoingMessage) -> None:
    check_message(good)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (message(message_id="x" * 256), "message_id"),
        (message(message_id="é" * 128), "message_id"),
        (message(message_id="\ud800"), "message_id"),
        (message(route=Route("e" * 256, "key")), "exchange"),
        (message(route=Route("exchange", "k" * 256)), "routing_key"),
        (message(correlation_id="\ud800"), "correlation_id"),
        (message(traceparent="\udfff"), "traceparent"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(bad: OutgoingMessage, field: str) -> None:
    with pytest.raises(MessageRefused, match=field):
        check_message(bad)
