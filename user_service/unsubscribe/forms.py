"""What a form asks for, or a mailbox provider on somebody's behalf."""

from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError

from carillon.contracts.channels import CHANNELS
from user_service.policies.categories import CATEGORY

BODY_LIMIT = 65_536
"""Octets: a hundred categories by every channel, four times over."""

ACTION = "action"
OFFERED = "offered"
CHOSEN = "on"


class UnreadableForm(ValueError):
    """Nothing that the page, or RFC 8058, would send."""


class Action(StrEnum):
    """What somebody may ask for."""

    LEAVE = "leave"
    RETURN = "return"
    CHOOSE = "choose"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick: a channel, or a category on a channel."""

    channel: str
    category: str = ""

    @property
    def name(self) -> str:
        """Its value in the form: `email` or `news.email`; no category has a dot."""
        return f"{self.category}.{self.channel}" if self.category else self.channel

    @classmethod
    def named(cls, name: str) -> "Choice":
        """Raises UnreadableForm."""
        category, _, channel = name.rpartition(".")
        if channel not in CHANNELS or (category and not CATEGORY.fullmatch(category)):
            raise UnreadableForm("no such choice")
        return cls(channel, category)


@dataclass(frozen=True, slots=True)
class Asked:
    """An action; for `choose` the boxes that the page had, and which of them are ticked."""

    action: Action
    choices: dict[Choice, bool]


def read_form(request: HttpRequest) -> Asked:
    """Raises UnreadableForm.

    A body that names no action asks to leave: so does RFC 8058's `List-Unsubscribe=One-Click`, and
    so do the providers that send nothing at all. Nobody gets there by following a link.
    """
    fields = _fields(request)
    try:
        action = Action(fields.get(ACTION, Action.LEAVE))
    except ValueError:
        raise UnreadableForm("no such action") from None
    if action is not Action.CHOOSE:
        return Asked(action, {})
    chosen = set(fields.getlist(CHOSEN))
    offered = [Choice.named(name) for name in fields.get(OFFERED, "").split()]
    return Asked(action, {choice: choice.name in chosen for choice in offered})


def _fields(request: HttpRequest) -> QueryDict:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_LIMIT:
        raise UnreadableForm("too long")
    try:
        return request.POST
    except (MultiPartParserError, SuspiciousOperation, UnicodeError) as error:
        raise UnreadableForm(type(error).__name__) from error
