"""What is kept with a notification for the case that it does not arrive."""

from typing import Any

import msgspec

from carillon.contracts.channels import CHANNELS
from carillon.contracts.records import FallbackRule
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.recipients import Recipient


class Promise(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the other channel's template is sent with; as personal as the content beside it.

    `to` is the address of a request without a user, where the other channel can reach it.
    """

    channel: str
    template_code: str
    variables: dict[str, Any] = {}
    language: str = ""
    category: str = ""
    to: str = ""


def promise_of(rule: FallbackRule, body: NotificationBody, direct: Recipient | None) -> Promise:
    """What a request promises by its template's rule; `direct` is whom its `to` names."""
    return Promise(
        channel=rule.channel,
        template_code=rule.template_code,
        variables=body.variables,
        language=body.language,
        category=body.category,
        to=direct.addresses[0].value if direct is not None and _reaches(rule, direct) else "",
    )


def _reaches(rule: FallbackRule, direct: Recipient) -> bool:
    """WhatsApp and SMS go to the same number; an email's address is nobody's number."""
    other = CHANNELS.get(rule.channel)
    return other is not None and other.address is CHANNELS[direct.channel].address
