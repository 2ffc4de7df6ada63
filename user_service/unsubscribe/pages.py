"""Renders where somebody stands, in words that they read."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from carillon.contracts.suppressions import SuppressionReason
from carillon.observability.masking import mask_address
from carillon.unsubscribe_links import PREFERENCES, AddressLink, CategoryLink, UserLink
from carillon.web.pages.response import page
from user_service.policies.categories import Category, built_in
from user_service.unsubscribe.forms import Action, Choice
from user_service.unsubscribe.selectors import AddressStanding, UserStanding
from user_service.unsubscribe.services import Done
from user_service.unsubscribe.words import WORDS, Words
from user_service.users.records import places_of

_TEMPLATE = "unsubscribe/page.html"


@dataclass(frozen=True, slots=True)
class _Card:
    """The first thing to read, and the one thing to press."""

    heading: str
    text: str
    is_done: bool = False
    action: Action | None = None
    button: str = ""


def gone_page(language: str) -> HttpResponse:
    """For a link whose user was erased: calm, for there is nothing to do."""
    words = WORDS[language]
    card = _Card(words.gone_heading, words.gone_text)
    return page(_TEMPLATE, {"card": card, "title": words.gone_heading}, language=language)


def address_page(
    link: AddressLink, standing: AddressStanding, done: Done | None, language: str
) -> HttpResponse:
    """`done` is what was just done; None where somebody only looks."""
    words = WORDS[language]
    card = _address_card(words, link, standing, done)
    return page(_TEMPLATE, {**_frame(words, standing.sender), "card": card}, language=language)


def user_page(
    link: UserLink, standing: UserStanding, done: Done | None, language: str
) -> HttpResponse:
    """The same, with all that there is to choose."""
    words = WORDS[language]
    context = {
        **_frame(words, standing.sender),
        "card": _user_card(words, link, standing, done),
        "form": _form(words, standing),
    }
    return page(_TEMPLATE, context, language=language)


def _frame(words: Words, sender: str) -> dict[str, Any]:
    return {"sender": sender, "title": words.title.format(sender=sender), "words": words}


def _address_card(
    words: Words, link: AddressLink, standing: AddressStanding, done: Done | None
) -> _Card:
    said = {"sender": standing.sender, "address": mask_address(link.address)}
    if standing.reason and standing.reason != SuppressionReason.UNSUBSCRIBE and done != Done.LEFT:
        return _Card(words.stopped_heading, words.stopped_text.format(**said))
    if standing.reason:
        return _Card(
            words.left_heading,
            words.left_address.format(**said),
            is_done=done is Done.LEFT,
            action=Action.RETURN if standing.reason == SuppressionReason.UNSUBSCRIBE else None,
            button=words.return_button,
        )
    if done is Done.RETURNED:
        return _Card(words.returned_heading, words.returned_address.format(**said), is_done=True)
    return _Card(
        words.leave_heading,
        words.leave_address.format(**said),
        action=Action.LEAVE,
        button=words.leave_button,
    )


def _user_card(words: Words, link: UserLink, standing: UserStanding, done: Done | None) -> _Card:
    about_category = isinstance(link, CategoryLink)
    said = {
        "sender": standing.sender,
        "category": (
            _category_name(words, link.category, standing.categories[link.category])
            if isinstance(link, CategoryLink)
            else ""
        ),
        "channel": "" if isinstance(link, CategoryLink) else words.channels[link.channel],
    }
    if done is Done.SAVED:
        return _Card(words.saved_heading, words.saved_text, is_done=True)
    if done is Done.LEFT_EVERYTHING:
        return _Card(words.left_heading, words.left_everything.format(**said), is_done=True)
    if isinstance(link, CategoryLink) and standing.is_essential(link.category):
        return _Card(words.essential_heading, words.essential_text.format(**said))
    if not standing.receives(link):
        text = words.left_category if about_category else words.left_channel
        return _Card(
            words.left_heading,
            text.format(**said),
            is_done=done is Done.LEFT,
            action=Action.RETURN,
            button=words.return_button,
        )
    if done is Done.RETURNED:
        text = words.returned_category if about_category else words.returned_channel
        return _Card(words.returned_heading, text.format(**said), is_done=True)
    text = words.leave_category if about_category else words.leave_channel
    return _Card(
        words.leave_heading,
        text.format(**said),
        action=Action.LEAVE,
        button=words.leave_button,
    )


def _form(words: Words, standing: UserStanding) -> dict[str, Any]:
    essential = {code: c for code, c in standing.categories.items() if c.essential}
    return {
        "anchor": PREFERENCES,
        "hint": words.choose_hint.format(sender=standing.sender),
        "everything_text": words.everything_text.format(sender=standing.sender),
        "receives_anything": any(standing.preferences.values()),
        "offered": " ".join(choice.name for choice in standing.offers()),
        "channels": _boxes(words, standing, ""),
        "categories": [
            {
                "name": _category_name(words, code, category),
                "description": category.description,
                "boxes": _boxes(words, standing, code),
            }
            for code, category in standing.categories.items()
            if not category.essential
        ],
        "always": [_category_name(words, code, category) for code, category in essential.items()],
        "suppressed": [
            words.suppressed.format(address=mask_address(address), channel=words.channels[channel])
            for channel, address in places_of(standing.user)
            if channel in standing.suppressed
        ],
    }


def _boxes(words: Words, standing: UserStanding, category: str) -> list[dict[str, Any]]:
    choices = [Choice(channel, category) for channel in standing.channels]
    return [
        {
            "name": choice.name,
            "label": _capitalized(words.channels[choice.channel]),
            "on": standing.is_on(choice),
        }
        for choice in choices
    ]


def _category_name(words: Words, code: str, category: Category) -> str:
    """The organization's own name for it, else ours in the reader's language, else its code."""
    given = built_in().get(code)
    if given is not None and category.name == given.name and code in words.built_in:
        return words.built_in[code]
    return category.name or _capitalized(code.replace("_", " ").replace("-", " "))


def _capitalized(text: str) -> str:
    """As at the start of a line; `SMS` stays as it is."""
    return text[:1].upper() + text[1:]
