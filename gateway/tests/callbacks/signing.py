"""Callbacks as each provider sends them: signed, with bodies from their documentation."""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    brevo_secret="a-bearer-token-that-brevo-shows",
    mailgun_signing_key="key-3ax6xnjp29jd6fds4gc373sgvjxteol0",
    mailjet_secret="a-password-in-mailjets-address",
    mandrill_key="HRHKaO3Tvi3wrk1ylGf2Rw-of-mandrill",
    postmark_secret="a-password-that-postmark-shows",
    resend_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    sparkpost_secret="a-header-that-sparkpost-shows-us",
)


@dataclass(frozen=True)
class Signed:
    """A request to be."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


OTHER_SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


def shown_key(key: ec.EllipticCurvePrivateKey) -> str:
    """As SendGrid's console shows it."""
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b64encode(public).decode()


def sendgrid(
    *events: Mapping[str, Any],
    at: datetime | None = None,
    key: ec.EllipticCurvePrivateKey = _SENDGRID_KEY,
) -> Signed:
    body = json.dumps(events).encode() + b"\r\n"
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return Signed("/callbacks/sendgrid/", body, headers)


def twilio(
    path: str = "/callbacks/twilio/", *, token: str = SETTINGS.twilio_auth_token, **fields: str
) -> Signed:
    said = PUBLIC + path + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mac = hmac.digest(token.encode(), said.encode(), "sha1")
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


def basic(password: str, name: str = "carillon") -> dict[str, str]:
    """What a service makes of `https://name:password@…`."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def postmark(event: Mapping[str, Any]) -> Signed:
    headers = basic(SETTINGS.postmark_secret)
    return Signed("/callbacks/postmark/", json.dumps(event).encode(), headers)


def brevo(*events: Mapping[str, Any]) -> Signed:
    """One event stands alone; several are a batch."""
    said = events[0] if len(events) == 1 else events
    headers = {"Authorization": f"Bearer {SETTINGS.brevo_secret}"}
    return Signed("/callbacks/brevo/", json.dumps(said).encode(), headers)


def mailjet(*events: Mapping[str, Any]) -> Signed:
    said = events[0] if len(events) == 1 else events
    headers = basic(SETTINGS.mailjet_secret)
    return Signed("/callbacks/mailjet/", json.dumps(said).encode(), headers)


def sparkpost(*events: Mapping[str, Any], group: str = "message_event") -> Signed:
    said = [{"msys": {group: event} if event else {}} for event in events]
    headers = {"X-Callback-Secret": SETTINGS.sparkpost_secret}
    return Signed("/callbacks/sparkpost/", json.dumps(said).encode(), headers)


def mailgun(
    event: Mapping[str, Any],
    *,
    token: str = "a8ce0edb2dd8301dee6c24052",  # noqa: S107  in each callback
    at: datetime | None = None,
) -> Signed:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    mac = hmac.new(SETTINGS.mailgun_signing_key.encode(), f"{stamp}{token}".encode(), "sha256")
    signature = {"timestamp": stamp, "token": token, "signature": mac.hexdigest()}
    body = json.dumps({"signature": signature, "event-data": event}).encode()
    return Signed("/callbacks/mailgun/", body)


def mandrill(
    *events: Mapping[str, Any], path: str = "/callbacks/mandrill/", fields: Any = None
) -> Signed:
    form = {"mandrill_events": json.dumps(events), **(fields or {})}
    said = PUBLIC + path + "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.digest(SETTINGS.mandrill_key.encode(), said.encode(), "sha1")
    headers = {"X-Mandrill-Signature": b64encode(mac).decode()}
    return Signed(path, urlencode(form).encode(), headers, FORM)


def resend(
    event: Mapping[str, Any], *, id_: str = "msg_2W2D3qXLS5fOaPja1GDg7", at: datetime | None = None
) -> Signed:
    """As Svix signs it."""
    body = json.dumps(event).encode()
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    key = b64decode(SETTINGS.resend_secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256")
    signature = f"v1,{b64encode(b'x' * 32).decode()} v1,{b64encode(mac).decode()}"
    headers = {"svix-id": id_, "svix-timestamp": stamp, "svix-signature": signature}
    return Signed("/callbacks/resend/", body, headers)


def on(path: str, signed: Signed) -> Signed:
    """The same at another address; of those that sign the address, ask them instead."""
    return replace(signed, path=path)


SIGNERS: Mapping[str, Callable[[], Signed]] = {
    "sendgrid": lambda: sendgrid({"event": "delivered", "sg_message_id": "sg-1"}),
    "ses": lambda: sns({"eventType": "Delivery", "mail": {"messageId": "ses-1"}}),
    "twilio": lambda: twilio(MessageSid="SM1", MessageStatus="delivered"),
    "meta": lambda: meta({"id": "wamid.1", "status": "delivered"}),
    "msg91": lambda: msg91({"status": "1"}),
    "msg91_whatsapp": lambda: on(
        f"/callbacks/msg91_whatsapp/{SETTINGS.msg91_secret}/", msg91({"status": "1"})
    ),
    "postmark": lambda: postmark({"RecordType": "Delivery", "MessageID": "pm-1"}),
    "brevo": lambda: brevo({"event": "delivered", "message-id": "<brevo-1@mail.example>"}),
    "mailjet": lambda: mailjet({"event": "sent", "MessageID": 19421777835146490}),
    "sparkpost": lambda: sparkpost({"type": "delivery", "transmission_id": "sp-1"}),
    "mailgun": lambda: mailgun(
        {"event": "delivered", "message": {"headers": {"message-id": "mg-1@mail.example"}}}
    ),
    "mandrill": lambda: mandrill({"event": "delivered", "_id": "mandrill-1"}),
    "resend": lambda: resend({"type": "email.delivered", "data": {"email_id": "resend-1"}}),
}
"""One of each that says `delivered`."""

MESSAGE_IDS: Mapping[str, str] = {
    "sendgrid": "sg-1",
    "ses": "ses-1",
    "twilio": "SM1",
    "meta": "wamid.1",
    "msg91": "3365646f",
    "msg91_whatsapp": "3365646f",
    "postmark": "pm-1",
    "brevo": "<brevo-1@mail.example>",
    "mailjet": "19421777835146490",
    "sparkpost": "sp-1",
    "mailgun": "<mg-1@mail.example>",
    "mandrill": "mandrill-1",
    "resend": "resend-1",
}
"""Of what: the provider_message_id that the worker's attempt has."""
