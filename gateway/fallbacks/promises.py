"""What is kept with a notification for the case that it does not arrive."""

from typing import Any

import msgspec

from carillon.contracts.channels import CHANNELS
from carillon.contracts.records import FallbackRule
from gateway.notifications.bodies import NotificationBody
from gateway.notifications.options import FallbackOptions
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


def promise_of(
    rule: FallbackRule | None, body: NotificationBody, direct: Recipient | None
) -> Promise | None:
    """What a request promises: by its own word, else by its template's rule, else nothing.

    `direct` is whom its `to` names.
    """
    asked = body.fallback or rule
    if asked is None:
        return None
    return Promise(
        channel=asked.channel,
        template_code=asked.template_code,
        variables=body.variables,
        language=body.language,
        category=body.category,
        to=_address(asked, direct),
    )


def _address(asked: FallbackOptions | FallbackRule, direct: Recipient | None) -> str:
    """WhatsApp and SMS go to the same number; an email's address is nobody's number."""
    if direct is None:
        return ""
    own = asked.address if isinstance(asked, FallbackOptions) else ""
    other = CHANNELS.get(asked.channel)
    same = other is not None and other.address is CHANNELS[direct.channel].address
    return own or (direct.addresses[0].value if same else "")
