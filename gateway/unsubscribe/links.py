"""Which links a notification carries, so that whoever receives it can decline the next one."""

import msgspec
from django.conf import settings

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.messages import Content, EmailContent
from carillon.contracts.template_variables import PREFERENCES_URL, UNSUBSCRIBE_URL
from carillon.unsubscribe_links import (
    PATH,
    PREFERENCES,
    AddressLink,
    CategoryLink,
    ChannelLink,
    Link,
)
from gateway.connections import link_signer
from gateway.notifications.recipients import Recipient


class Links(msgspec.Struct, frozen=True):
    """Absolute URLs; empty for a device without a user, which nobody could be asked about."""

    unsubscribe_url: str = ""
    preferences_url: str = ""

    def variables(self) -> dict[str, str]:
        """As templates call them."""
        return {UNSUBSCRIBE_URL: self.unsubscribe_url, PREFERENCES_URL: self.preferences_url}


def links_for(organization_id: str, recipient: Recipient, category: str) -> Links:
    """Both links lead to one page; one press on it declines the category, else the channel."""
    link = _link(organization_id, recipient, category)
    if link is None:
        return Links()
    page = f"{settings.GATEWAY.public_url}{PATH}{link_signer().token(link)}/"
    return Links(page, f"{page}#{PREFERENCES}")


def with_way_out(content: Content, links: Links) -> Content:
    """An email tells mailbox providers too where to unsubscribe (RFC 8058); others cannot."""
    if not isinstance(content, EmailContent):
        return content
    return msgspec.structs.replace(content, unsubscribe_url=links.unsubscribe_url)


def _link(organization_id: str, recipient: Recipient, category: str) -> Link | None:
    if recipient.user_id:
        if category:
            return CategoryLink(organization_id, recipient.user_id, category)
        return ChannelLink(organization_id, recipient.user_id, recipient.channel)
    if CHANNELS[recipient.channel].address is AddressKind.DEVICE:
        return None
    return AddressLink(organization_id, recipient.channel, recipient.addresses[0].value)
