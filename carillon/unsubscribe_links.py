"""Links by which people choose what they receive, without an account: signed, and good for ever.

A token says who (a user, or an address without one) and what a single press takes them off. It is
the whole capability, so it is as hard to guess as a key, and it holds no expiry: a mail that was
kept for ten years can still be declined (RFC 8058; so do CAN-SPAM and the GDPR see it).

What is signed (`carillon.signed_tokens`) is one byte (version and kind), the organization's and the
user's UUID, and a name: tokens of 70 to 90 characters as a rule.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from carillon.contracts import ids
from carillon.signed_tokens import TokenSigner

PATH: Final = "/u/"
PREFERENCES: Final = "preferences"
"""The fragment of the page at which all choices stand."""

# RFC 8058, section 3.1: what a mailbox provider posts for its user.
ONE_CLICK_FIELD: Final = "List-Unsubscribe"
ONE_CLICK_VALUE: Final = "One-Click"

TOKEN_LENGTH: Final = 512
"""Characters; an email address may have 254 octets."""

SECRETS_EXAMPLE: Final = "$(openssl rand -hex 32)"

_CATEGORY = 0x11
_CHANNEL = 0x12
_ADDRESS = 0x13
_UUID_BYTES = 16
_PURPOSE = b"carillon unsubscribe link\n"


@dataclass(frozen=True, slots=True)
class CategoryLink:
    """A user; one press takes them off `category`, on every channel."""

    organization_id: str
    user_id: str
    category: str


@dataclass(frozen=True, slots=True)
class ChannelLink:
    """A user; one press takes them off `channel`, but for what is essential."""

    organization_id: str
    user_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class AddressLink:
    """An address of no known user; one press suppresses it on `channel`."""

    organization_id: str
    channel: str
    address: str


UserLink: TypeAlias = CategoryLink | ChannelLink
Link: TypeAlias = UserLink | AddressLink


class LinkSigner:
    """Makes tokens with the first of `secrets`, and reads those that any of them made."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._signer = TokenSigner(_PURPOSE, secrets, longest=TOKEN_LENGTH)

    def token(self, link: Link) -> str:
        """URL-safe characters alone. Raises ValueError where an id in `link` is none."""
        return self._signer.sign(_payload(link))

    def read(self, token: str) -> Link | None:
        """What `token` says; None where nobody with our secrets said it."""
        payload = self._signer.payload_of(token)
        return _link(payload) if payload else None


def _payload(link: Link) -> bytes:
    organization = ids.uuid_of(ids.ORGANIZATION, link.organization_id).bytes
    if isinstance(link, AddressLink):
        return b"%c%b%b\n%b" % (
            _ADDRESS,
            organization,
            link.channel.encode(),
            link.address.encode(),
        )
    user = ids.uuid_of(ids.USER, link.user_id).bytes
    if isinstance(link, ChannelLink):
        return b"%c%b%b%b" % (_CHANNEL, organization, user, link.channel.encode())
    return b"%c%b%b%b" % (_CATEGORY, organization, user, link.category.encode())


def _link(payload: bytes) -> Link | None:
    """None for a kind of a later release: ours signed it, but we cannot say what it means."""
    kind, organization, rest = payload[0], payload[1:17], payload[17:]
    organization_id = ids.format_id(ids.ORGANIZATION, UUID(bytes=organization))
    if kind == _ADDRESS:
        channel, _, address = rest.decode().partition("\n")
        return AddressLink(organization_id, channel, address)
    if kind not in {_CATEGORY, _CHANNEL}:
        return None
    user_id = ids.format_id(ids.USER, UUID(bytes=rest[:_UUID_BYTES]))
    name = rest[_UUID_BYTES:].decode()
    if kind == _CHANNEL:
        return ChannelLink(organization_id, user_id, name)
    return CategoryLink(organization_id, user_id, name)
