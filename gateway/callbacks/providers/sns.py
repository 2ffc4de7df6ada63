"""What Amazon SNS posts: its signature, and the subscription to a topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import binascii
import re
import threading
import time
from base64 import b64decode
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from gateway.callbacks.errors import CannotVerify, Unverified
from gateway.callbacks.requests import iso_time, text

Fetch: TypeAlias = Callable[[str], bytes]
"""Gets a URL of Amazon's; raises CannotVerify."""

_PATH: Final = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
    "UnsubscribeConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
# Amazon's choice: version 1 of its signature, which topics have unless they say otherwise.
_HASHES: Final = {"1": SHA1(), "2": SHA256()}  # noqa: S303

FETCH_SECONDS: Final = 5.0
FETCH_BYTES: Final = 65_536
# Each region signs with one or two of its own.
CERTIFICATES_MOST: Final = 64
CERTIFICATE_SECONDS: Final = 86_400.0
# Fetches in a minute for a topic: what is not verified yet must not make us call out at will, nor
# keep another organization's certificate away.
FETCHES_MOST: Final = 10
TOPICS_MOST: Final = 1_000


def fetch_https(url: str) -> bytes:
    """GET without redirects, 64 KB and 5 s between bytes at most. Raises CannotVerify."""
    try:
        with requests.get(url, timeout=FETCH_SECONDS, allow_redirects=False, stream=True) as answer:
            body = answer.raw.read(FETCH_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise CannotVerify("Amazon cannot be reached") from error
    if answer.status_code != 200 or len(body) > FETCH_BYTES:
        raise CannotVerify(f"Amazon answered {answer.status_code}, {len(body)} bytes")
    return bytes(body)


def is_amazons(url: str, topic_arn: str) -> bool:
    """Whether `url` is HTTPS to SNS itself, in the topic's own region and partition."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    _, partition, _, region, *_ = topic_arn.split(":")
    domain = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    plain = not parts.username and not parts.password and port in {None, 443}
    return parts.scheme == "https" and plain and parts.hostname == f"sns.{region}.{domain}"


class SNSMessage(msgspec.Struct):
    """What SNS posts, by its own names: texts, and only those that are signed or lead somewhere."""

    Type: str | None = None
    MessageId: str | None = None
    TopicArn: str | None = None
    Subject: str | None = None
    Message: str | None = None
    Timestamp: str | None = None
    Token: str | None = None
    SubscribeURL: str | None = None
    SignatureVersion: str | None = None
    Signature: str | None = None
    SigningCertURL: str | None = None


class SNSVerifier:
    """Knows SNS's signing certificates, each fetched once a day."""

    def __init__(
        self, fetch: Fetch = fetch_https, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._certificates: OrderedDict[str, tuple[float, x509.Certificate]] = OrderedDict()
        self._fetched: OrderedDict[str, deque[float]] = OrderedDict()

    def verify(self, message: dict[str, Any], now: datetime) -> datetime:
        """When it was signed. Raises Unverified or CannotVerify; `TopicArn` is an ARN."""
        signed = _SIGNED.get(text(message.get("Type")))
        hashing = _HASHES.get(text(message.get("SignatureVersion")))
        url = text(message.get("SigningCertURL"))
        signed_at = iso_time(message.get("Timestamp"))
        if signed is None or hashing is None or signed_at is None:
            raise Unverified("not of SNS")
        if not is_amazons(url, text(message.get("TopicArn"))):
            raise Unverified("the certificate is elsewhere")
        if not _PATH.fullmatch(urlsplit(url).path) or urlsplit(url).query:
            raise Unverified("the certificate is elsewhere")
        try:
            signature = b64decode(text(message.get("Signature")), validate=True)
            self._key(url, text(message.get("TopicArn")), now).verify(
                signature, _signed_text(message, signed), PKCS1v15(), hashing
            )
        except (InvalidSignature, binascii.Error, ValueError):
            raise Unverified("signature") from None
        return signed_at

    def confirm(self, message: dict[str, Any]) -> None:
        """Accept the subscription that a verified message offers.

        Raises Unverified for a link that leads elsewhere, or CannotVerify.
        """
        url = text(message.get("SubscribeURL"))
        if not is_amazons(url, text(message.get("TopicArn"))):
            raise Unverified("the confirmation leads elsewhere")
        self._fetch(url)

    def _key(self, url: str, topic: str, now: datetime) -> RSAPublicKey:
        certificate = self._certificate(url, topic)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise Unverified("the certificate has expired")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Unverified("the certificate's key is not RSA")
        return key

    def _certificate(self, url: str, topic: str) -> x509.Certificate:
        with self._lock:
            known = self._certificates.get(url)
            if known is not None and self._clock() - known[0] < CERTIFICATE_SECONDS:
                self._certificates.move_to_end(url)
                return known[1]
            self._count_fetch(topic)
        try:
            certificate = x509.load_pem_x509_certificate(self._fetch(url))
        except ValueError:
            raise CannotVerify("not a certificate") from None
        with self._lock:
            self._certificates[url] = (self._clock(), certificate)
            while len(self._certificates) > CERTIFICATES_MOST:
                self._certificates.popitem(last=False)
        return certificate

    def _count_fetch(self, topic: str) -> None:
        now = self._clock()
        fetched = self._fetched.setdefault(topic, deque(maxlen=FETCHES_MOST))
        self._fetched.move_to_end(topic)
        while len(self._fetched) > TOPICS_MOST:
            self._fetched.popitem(last=False)
        if len(fetched) == FETCHES_MOST and now - fetched[0] < 60:
            raise CannotVerify("too many certificates")
        fetched.append(now)


def _signed_text(message: dict[str, Any], names: tuple[str, ...]) -> bytes:
    return "".join(
        f"{name}\n{text(message[name])}\n" for name in names if message.get(name) is not None
    ).encode()
