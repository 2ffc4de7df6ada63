"""Reads what either mailbox shows, MailDev or sendria."""

import time
from dataclasses import dataclass

import requests

TIMEOUT = 60.0  # seconds
MISSING = 404


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail as a person sees it."""

    subject: str
    text: str
    html: str


def shown_mails(url: str, *, at_least: int = 1, within: float = 60.0) -> list[ShownMail]:
    """The mails at `url`, oldest first, once there are so many or after `within` seconds.

    Both mailboxes store mails, and read stored ones, a moment after they have said yes.
    """
    deadline = time.monotonic() + within
    while len(mails := _mails(url)) < at_least and time.monotonic() < deadline:
        time.sleep(0.05)
    return mails


def _mails(url: str) -> list[ShownMail]:
    answer = requests.get(f"{url}/email", timeout=TIMEOUT)
    if answer.status_code == MISSING:
        return _sendria_mails(url)
    return [
        ShownMail(mail["subject"], mail["text"].strip(), mail.get("html", "").strip())
        for mail in answer.json()
    ]


def _sendria_mails(url: str) -> list[ShownMail]:
    found = requests.get(f"{url}/api/messages/", timeout=TIMEOUT).json()["data"]

    def part(number: int, kind: str) -> str:
        answer = requests.get(f"{url}/api/messages/{number}.{kind}", timeout=TIMEOUT)
        return answer.text.strip() if answer.ok else ""

    return [
        ShownMail(mail["subject"], part(mail["id"], "plain"), part(mail["id"], "html"))
        for mail in sorted(found, key=lambda mail: int(mail["id"]))
    ]
