"""What an SMTP reply means: reply codes (RFC 5321) and enhanced status codes (RFC 3463)."""

import re
from enum import Enum

import msgspec

from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure

TEXT_LENGTH = 200

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class Stage(Enum):
    """Where in the dialogue a reply came."""

    CONNECT = "did not let us in"
    SENDER = "refused the sender"
    RECIPIENT = "refused the recipient"
    DATA = "refused the message"


class Reply(msgspec.Struct, frozen=True):
    """A server's reply; `text` may quote addresses. `code` is below 0 for what is no reply."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        """True for 2yz."""
        return 200 <= self.code < 300

    @property
    def enhanced(self) -> str:
        """The enhanced status code at the text's start, or an empty string."""
        found = _ENHANCED.match(self.text)
        return found.group() if found else ""


# About our account, our sender or our connection: nobody's mail gets through until it is mended.
_CONFIGURATION_CODES = frozenset({500, 502, 503, 504, 521, 530, 534, 535, 538, 555})
_CONFIGURATION_STATUS = frozenset({"5.1.7", "5.1.8", "5.7.3", "5.7.8", "5.7.9", "5.7.11", "5.7.60"})

_BY_STATUS: dict[str, Reason] = {
    "5.2.1": Reason.INVALID_ADDRESS,  # mailbox disabled
    "5.2.2": Reason.BOUNCED,  # mailbox full
    "5.2.3": Reason.PAYLOAD_TOO_LARGE,
    "5.3.4": Reason.PAYLOAD_TOO_LARGE,
    "5.4.1": Reason.INVALID_ADDRESS,  # Microsoft's word for an unknown recipient
    "5.4.4": Reason.INVALID_ADDRESS,  # no such domain
    "5.6.7": Reason.INVALID_ADDRESS,  # needs SMTPUTF8 somewhere on the way
}
_BY_CLASS: dict[str, Reason] = {
    "5.1": Reason.INVALID_ADDRESS,
    "5.2": Reason.BOUNCED,
    "5.4": Reason.BOUNCED,
    "5.6": Reason.INVALID_CONTENT,
    "5.7": Reason.BLOCKED,
}
_BY_CODE: dict[tuple[Stage, int], Reason] = {
    (Stage.RECIPIENT, 501): Reason.INVALID_ADDRESS,
    (Stage.RECIPIENT, 550): Reason.INVALID_ADDRESS,
    (Stage.RECIPIENT, 551): Reason.INVALID_ADDRESS,
    (Stage.RECIPIENT, 553): Reason.INVALID_ADDRESS,
    (Stage.RECIPIENT, 552): Reason.BOUNCED,
    (Stage.RECIPIENT, 556): Reason.INVALID_ADDRESS,
    (Stage.SENDER, 501): Reason.CONFIGURATION,
    (Stage.SENDER, 550): Reason.CONFIGURATION,
    (Stage.SENDER, 553): Reason.CONFIGURATION,
    (Stage.SENDER, 552): Reason.PAYLOAD_TOO_LARGE,
    (Stage.DATA, 552): Reason.PAYLOAD_TOO_LARGE,
    (Stage.DATA, 523): Reason.PAYLOAD_TOO_LARGE,
}


def failure_of(reply: Reply, stage: Stage, *, hide: tuple[str, ...] = ()) -> DeliveryFailure:
    """The failure that a reply which is not positive stands for.

    `hide` lists what the text must not show: the addresses. At CONNECT the text is left out, for
    servers repeat user names.
    """
    code = f"{reply.code} {reply.enhanced}".strip()
    message = f"The mail server {stage.value}{_told(reply, stage, hide)}."
    if 400 <= reply.code < 500:
        return TemporaryFailure(message, reason=_temporary(reply, stage), code=code)
    if 500 <= reply.code < 600:
        return PermanentFailure(message, reason=_permanent(reply, stage), code=code)
    return TemporaryFailure(
        "The mail server gave an answer that is not SMTP.",
        reason=Reason.PROVIDER_UNAVAILABLE,
        code=str(reply.code) if 0 < reply.code < 1000 else "garbage",
    )


def _told(reply: Reply, stage: Stage, hide: tuple[str, ...]) -> str:
    if stage is Stage.CONNECT or not reply.text:
        return ""
    text = "".join(char if char.isprintable() else " " for char in reply.text)
    for address in hide:
        # Whole, or the part before the @ as a word of its own ("mailbox jane.doe is full").
        local = re.escape(address.rpartition("@")[0])
        text = re.sub(re.escape(address), "***", text, flags=re.IGNORECASE)
        text = re.sub(rf"(?<!\w){local}(?!\w)", "***", text, flags=re.IGNORECASE)
    return f": {text[:TEXT_LENGTH].rstrip('. ')}"


def _temporary(reply: Reply, stage: Stage) -> Reason:
    """Trouble of the server, or (greylisting, a full mailbox) of this message alone."""
    if reply.code == 421 or reply.enhanced.startswith("4.3."):
        return Reason.PROVIDER_UNAVAILABLE
    if stage in {Stage.CONNECT, Stage.SENDER}:
        return Reason.PROVIDER_UNAVAILABLE
    return Reason.OTHER


def _permanent(reply: Reply, stage: Stage) -> Reason:
    status = reply.enhanced
    if (
        stage is Stage.CONNECT
        or reply.code in _CONFIGURATION_CODES
        or status in _CONFIGURATION_STATUS
    ):
        return Reason.CONFIGURATION
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status.rpartition(".")[0] in _BY_CLASS:
        return _BY_CLASS[status.rpartition(".")[0]]
    return _BY_CODE.get((stage, reply.code), Reason.OTHER)
