"""Device tokens of each push service, in one form each, so that the same device is known again."""

import re
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
# Apple promises no length; it has been 32 bytes and may grow to 100.
_APNS = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}")


class Platform(StrEnum):
    """The push service that a device's token is for."""

    FCM = "fcm"
    APNS = "apns"
    WEBPUSH = "webpush"


class InvalidToken(ValueError):
    """No push service gave this out; the text says what would be right, for the client."""


def normalize_token(platform: Platform, text: str) -> str:
    """The token as it is stored. Raises InvalidToken."""
    if platform is Platform.WEBPUSH:
        return _subscription(text)
    if platform is Platform.APNS:
        if not _APNS.fullmatch(text):
            raise InvalidToken("Expected an APNs device token: 64 to 200 hexadecimal digits.")
        return text.lower()
    # Firebase gives no form; anything it could be is in a URL or a header sooner or later.
    if not _VISIBLE_ASCII.fullmatch(text):
        raise InvalidToken("A token has no spaces and no characters beyond ASCII.")
    return text


class _Keys(msgspec.Struct):
    p256dh: str
    auth: str


class _Subscription(msgspec.Struct):
    """A PushSubscription (W3C Push API, section 8), without what sending does not need."""

    endpoint: str
    keys: _Keys


def _subscription(text: str) -> str:
    try:
        subscription = msgspec.json.decode(text, type=_Subscription)
        endpoint = urlsplit(subscription.endpoint)
        usable = endpoint.scheme == "https" and bool(endpoint.hostname)
    except (msgspec.MsgspecError, ValueError):
        usable = False
    if not usable:
        raise InvalidToken(
            "Expected the JSON of a PushSubscription, as text: an https endpoint, keys.p256dh and "
            "keys.auth."
        )
    return msgspec.json.encode(subscription).decode()
