"""Does what somebody asked for with a link."""

from enum import StrEnum
from typing import Any

from prometheus_client import Counter

from carillon.contracts.channels import CHANNELS
from carillon.contracts.suppressions import SuppressionReason
from carillon.unsubscribe_links import AddressLink, CategoryLink, ChannelLink, Link, UserLink
from carillon.web.bodies import convert_body
from user_service.suppressions.bodies import SuppressionBody
from user_service.suppressions.selectors import find_by_place
from user_service.suppressions.services.changes import release, suppress
from user_service.unsubscribe.forms import Action, Asked, Choice
from user_service.unsubscribe.selectors import (
    UserStanding,
    find_address_standing,
    find_user_standing,
)
from user_service.users.bodies import PreferencesBody
from user_service.users.history import Source
from user_service.users.services.preferences import update_preferences

LINK_ACTIONS = Counter(
    "carillon_unsubscribe_link_actions_total",
    "What people did with unsubscribe links: leave, return, choose or everything, by what the link "
    "is about (category, channel or address).",
    ["action", "kind"],
)
_ABOUT = {CategoryLink: "category", ChannelLink: "channel", AddressLink: "address"}


class Done(StrEnum):
    """What became of it."""

    LEFT = "left"
    LEFT_EVERYTHING = "left_everything"
    RETURNED = "returned"
    SAVED = "saved"
    # Nothing was changed: it reaches everybody, or another reason than the person's own stops it.
    ESSENTIAL = "essential"
    STOPPED = "stopped"


def act(link: Link, asked: Asked) -> Done | None:
    """None where the link's user or organization is not there any more.

    Safe to repeat. Raises UserNotFound where the user goes at this very moment.
    """
    if isinstance(link, AddressLink):
        done = _act_for_address(link, asked)
    else:
        done = _act_for_user(link, asked)
    if done is not None:
        LINK_ACTIONS.labels(asked.action.value, _ABOUT[type(link)]).inc()
    return done


def _act_for_address(link: AddressLink, asked: Asked) -> Done | None:
    """There is one choice: all or nothing."""
    if find_address_standing(link) is None:
        return None
    if asked.action is not Action.RETURN:
        body = SuppressionBody(
            channel=link.channel, address=link.address, reason=SuppressionReason.UNSUBSCRIBE
        )
        suppress(link.organization_id, body, source=Source.UNSUBSCRIBE_LINK)
        return Done.LEFT
    found = find_by_place(link.organization_id, (link.channel, link.address))
    if found is not None:
        if found.reason != SuppressionReason.UNSUBSCRIBE:
            return Done.STOPPED
        release(link.organization_id, found.id)
    return Done.RETURNED


def _act_for_user(link: UserLink, asked: Asked) -> Done | None:
    standing = find_user_standing(link)
    if standing is None:
        return None
    if asked.action is Action.CHOOSE:
        _change(link, _chosen(standing, asked.choices))
        return Done.SAVED
    if asked.action is Action.EVERYTHING:
        _change(link, {"preferences": dict.fromkeys(CHANNELS, False)})
        return Done.LEFT_EVERYTHING
    if isinstance(link, CategoryLink) and standing.is_essential(link.category):
        return Done.ESSENTIAL
    leaves = asked.action is Action.LEAVE
    _change(link, _leaving(link) if leaves else _returning(link, standing))
    return Done.LEFT if leaves else Done.RETURNED


def _leaving(link: UserLink) -> dict[str, Any]:
    if isinstance(link, ChannelLink):
        return {"preferences": {link.channel: False}}
    return {"categories": {link.category: dict.fromkeys(CHANNELS, False)}}


def _returning(link: UserLink, standing: UserStanding) -> dict[str, Any]:
    """On where the person can be reached; elsewhere as if nothing had been said."""
    if isinstance(link, ChannelLink):
        return {"preferences": {link.channel: True}}
    return {
        "categories": {
            link.category: {
                channel: True if channel in standing.channels else None for channel in CHANNELS
            }
        }
    }


def _chosen(standing: UserStanding, choices: dict[Choice, bool]) -> dict[str, Any]:
    """What differs from what is in force: what somebody left alone stays at its default."""
    preferences: dict[str, bool] = {}
    categories: dict[str, dict[str, bool]] = {}
    for choice, wanted in choices.items():
        if choice.category and choice.category not in standing.categories:
            continue
        if choice.category and standing.is_essential(choice.category):
            continue
        if standing.is_on(choice) == wanted:
            continue
        if choice.category:
            categories.setdefault(choice.category, {})[choice.channel] = wanted
        else:
            preferences[choice.channel] = wanted
    return {"preferences": preferences, "categories": categories}


def _change(link: UserLink, change: dict[str, Any]) -> None:
    named = {part: choices for part, choices in change.items() if choices}
    if named:
        body = convert_body(named, PreferencesBody)
        update_preferences(link.organization_id, link.user_id, body, source=Source.UNSUBSCRIBE_LINK)
