"""Where somebody stands: what they receive now, and what there is to choose."""

from dataclasses import dataclass

from carillon.contracts.channels import CHANNELS
from carillon.contracts.records import PolicyRecord
from carillon.unsubscribe_links import AddressLink, CategoryLink, Link, UserLink
from carillon.web.tenants.models import Organization
from user_service.choices import Choices, Matrix, effective
from user_service.policies.categories import Category
from user_service.policies.selectors import categories_of, policy_of
from user_service.suppressions.selectors import reasons_of
from user_service.unsubscribe.forms import Choice
from user_service.users.models import User
from user_service.users.records import places_of
from user_service.users.selectors import UserNotFound, find_user


@dataclass(frozen=True, slots=True)
class AddressStanding:
    """An address without a user; `reason` is why it is suppressed, empty if it is not."""

    sender: str
    reason: str


@dataclass(frozen=True, slots=True)
class UserStanding:
    """A user, their organization's categories, and what holds of both."""

    sender: str
    user: User
    policy: PolicyRecord
    # By code; what nobody defined has no name.
    categories: dict[str, Category]
    # Those on which the user can be reached; all, where there is none.
    channels: tuple[str, ...]
    # Channels on which the user's address is suppressed.
    suppressed: frozenset[str]

    @property
    def preferences(self) -> Choices:
        """Every channel, as it is in force."""
        return effective(self.user.preferences, self.policy.preferences)

    def is_essential(self, category: str) -> bool:
        """Whether it reaches everybody."""
        return self.categories[category].essential

    def is_on(self, choice: Choice) -> bool:
        """What is in force."""
        if not choice.category:
            return self.preferences[choice.channel]
        said: Matrix = self.user.categories
        defaults = self.categories[choice.category].preferences
        return said.get(choice.category, {}).get(choice.channel, defaults.get(choice.channel, True))

    def receives(self, link: UserLink) -> bool:
        """Whether there is anything to decline."""
        if isinstance(link, CategoryLink):
            return any(self.is_on(Choice(channel, link.category)) for channel in self.channels)
        return self.preferences.get(link.channel, True)

    def offers(self) -> list[Choice]:
        """Every box of the form: channels first, then the categories that can be declined."""
        declinable = [code for code, category in self.categories.items() if not category.essential]
        return [
            *(Choice(channel) for channel in self.channels),
            *(Choice(channel, code) for code in declinable for channel in self.channels),
        ]


def find_user_standing(link: UserLink) -> UserStanding | None:
    """None where the link's user or organization is not there any more."""
    organization = _organization(link)
    try:
        user = find_user(link.organization_id, link.user_id)
    except UserNotFound:
        return None
    if organization is None:
        return None
    categories = categories_of(organization.id)
    used = [*user.categories, *([link.category] if isinstance(link, CategoryLink) else [])]
    for code in used:
        categories.setdefault(code, Category())
    places = list(places_of(user))
    reachable = {channel for channel, _ in places}
    if any(not device.disabled_at for device in user.devices.all()):
        reachable.add("push")
    return UserStanding(
        sender=organization.name,
        user=user,
        policy=policy_of(organization.id),
        categories=dict(sorted(categories.items())),
        channels=tuple(name for name in CHANNELS if name in reachable or not reachable),
        suppressed=frozenset(place[0] for place in reasons_of(organization.id, places)),
    )


def find_address_standing(link: AddressLink) -> AddressStanding | None:
    """None where the link's organization is not there any more."""
    organization = _organization(link)
    if organization is None:
        return None
    place = (link.channel, link.address)
    return AddressStanding(
        organization.name, reasons_of(link.organization_id, [place]).get(place, "")
    )


def _organization(link: Link) -> Organization | None:
    return Organization.objects.filter(id=link.organization_id).first()
