"""Reserves in the trip that recognises the key, where a request shows what it is going to take.

That is certain only once the notification is composed. Most are what they look like, and are
spared the trip; what is foreseen and turns out to be another claim, or none, is given back. Nobody
else may be refused for what is only held for a moment, so it is granted only while the quota is far
away and the recipient's limit untouched: one at a time for each recipient.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from django.conf import settings

from carillon.redis_wire import Argument
from gateway.admission import reservations
from gateway.admission.claims import Claim, Reservation
from gateway.admission.scripts import ENTER_AND_RESERVE, RedisDown, scripts
from gateway.organizations.key_records import KeyRecord

# A recipient's limit of less leaves too little beside what is held.
_LEAST_LIMIT = 5
# What the claims of some subject turned out to be is not foreseen again for so long.
MISTAKEN_SECONDS = 60.0
_MISTAKEN_MOST = 10_000
_mistaken: dict["Subject", float] = {}

# Whose claims are alike: an organization, a template, a category.
Subject = tuple[str, str, str]


class Foreseen(msgspec.Struct, frozen=True):
    """What a request takes if it is what it looks like, by what was last known of its key."""

    record: KeyRecord
    claim: Claim
    subject: Subject

    def is_worth_trying(self) -> bool:
        """Whether it may be granted, and the subject's claims were foreseen rightly of late."""
        if settings.GATEWAY.recipient_limit.most < _LEAST_LIMIT:
            return False
        if reservations.is_outdated(self.claim):
            return False
        return _mistaken.get(self.subject, 0.0) < time.monotonic()

    def run(self, key: str, entering: Sequence[Argument]) -> tuple[list[Any], "Held | None"]:
        """enter_and_reserve.lua: what entering.lua replies, and what was granted.

        Raises RedisDown.
        """
        claim, settled = self.claim, reservations.take_settled()
        reserving = reservations.arguments(claim, settled, is_foreseen=True)
        try:
            *found, reply = scripts().run(
                ENTER_AND_RESERVE, [key, *claim.keys], [*entering, *reserving]
            )
        except RedisDown:
            reservations.settle_later(settled)
            raise
        if not reply:
            reservations.settle_later(settled)
            return found, None
        verdict, used, _, suspects = reply
        return found, Held(self, used, suspects) if verdict == b"reserved" else None


class Held:
    """What was foreseen and granted: to be taken once, or given back."""

    def __init__(self, foreseen: Foreseen, used: int, suspects: Sequence[bytes]) -> None:
        """`used` and `suspects` as reserving.lua says them."""
        self.record = foreseen.record
        self.claim = foreseen.claim
        self._subject = foreseen.subject
        self._suspects = suspects
        self._reservation: Reservation | None = reservations.granted(self.claim, used)

    def take(self, claim: Claim) -> Reservation | None:
        """The reservation, if it is what is claimed; None where it was another, and given back."""
        if claim != self.claim:
            self.give_back()
            _be_mistaken(self._subject)
            return None
        if self._suspects:
            reservations.settle_suspects(claim, self._suspects)
        taken, self._reservation = self._reservation, None
        return taken

    def give_back(self) -> None:
        """Nobody takes it; nothing happens where somebody did."""
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            reservations.release(reservation)


def _be_mistaken(subject: Subject) -> None:
    if len(_mistaken) >= _MISTAKEN_MOST:
        _mistaken.clear()
    _mistaken[subject] = time.monotonic() + MISTAKEN_SECONDS
