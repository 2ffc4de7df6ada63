"""Callbacks as each provider sends them: signed, with bodies from their documentation."""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from gateway.callbacks.config import CallbackSettings

PUBLIC = "https://notify.example.com"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"

_SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
_SNS_KEY = rsa.generate_private_key(65537, 2048)
FORM = "application/x-www-form-urlencoded"

SETTINGS = CallbackSettings(
    sendgrid_public_key=b64encode(
        _SENDGRID_KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode(),
    ses_topics=frozenset({TOPIC}),
    twilio_auth_token="0123456789abcdef0123456789abcdef",
    msg91_secret="a-secret-in-the-address-of-msg91",
    meta_app_secret="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    meta_verify_token="the-token-that-meta-shows-us",
)


@dataclass(frozen=True)
class Signed:
    """A request to be."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def sendgrid(*events: Mapping[str, Any], at: datetime | None = None) -> Signed:
    body = json.dumps(events).encode() + b"\r\n"
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    signature = _SENDGRID_KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return Signed("/callbacks/sendgrid/", body, headers)


def twilio(path: str = "/callbacks/twilio/", **fields: str) -> Signed:
    said = PUBLIC + path + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mac = hmac.digest(SETTINGS.twilio_auth_token.encode(), said.encode(), "sha1")
    headers = {"X-Twilio-Signature": b64encode(mac).decode()}
    return Signed(path, urlencode(fields).encode(), headers, FORM)


def meta(*statuses: Mapping[str, Any]) -> Signed:
    value = {"messaging_product": "whatsapp", "statuses": list(statuses)}
    change = {"value": value, "field": "messages"}
    said = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    body = json.dumps(said).encode()
    mac = hmac.new(SETTINGS.meta_app_secret.encode(), body, "sha256").hexdigest()
    return Signed("/callbacks/meta/", body, {"X-Hub-Signature-256": f"sha256={mac}"})


def msg91(*reports: Mapping[str, Any], request_id: str = "3365646f") -> Signed:
    """As version 2 of the webhook has it."""
    data = json.dumps([{"requestId": request_id, "senderId": "ACME", "report": list(reports)}])
    path = f"/callbacks/msg91/{SETTINGS.msg91_secret}/"
    return Signed(path, urlencode({"data": data}).encode(), {}, FORM)


def sns(message: Mapping[str, Any], **fields: Any) -> Signed:
    """A notification of SNS with `message` inside; `fields` replace its own before it is signed."""
    said: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": json.dumps(message),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE_URL,
        **fields,
    }
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if said["Type"] != "Notification":
        names = [
            *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        ]
    text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
    hashing = hashes.SHA256() if said["SignatureVersion"] == "2" else hashes.SHA1()  # noqa: S303
    signature = _SNS_KEY.sign(text.encode(), padding.PKCS1v15(), hashing)
    return Signed(
        "/callbacks/ses/",
        json.dumps({**said, "Signature": b64encode(signature).decode()}).encode(),
        {"x-amz-sns-message-type": said["Type"]},
        "text/plain; charset=UTF-8",
    )


def certificate(days: int = 30) -> bytes:
    """Amazon's, as far as we can tell; it begins the day before yesterday."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    began = datetime.now(UTC) - timedelta(days=2)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_SNS_KEY.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=days))
        .sign(_SNS_KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


SIGNERS: Mapping[str, Callable[[], Signed]] = {
    "sendgrid": lambda: sendgrid({"event": "delivered", "sg_message_id": "sg-1"}),
    "ses": lambda: sns({"eventType": "Delivery", "mail": {"messageId": "ses-1"}}),
    "twilio": lambda: twilio(MessageSid="SM1", MessageStatus="delivered"),
    "meta": lambda: meta({"id": "wamid.1", "status": "delivered"}),
    "msg91": lambda: msg91({"status": "1"}),
}
"""One of each that says `delivered`."""
