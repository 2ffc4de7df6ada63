"""Twilio's and SendGrid's own libraries sign and verify as our callbacks do."""

import json
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.callbacks.errors import Unverified
from gateway.callbacks.providers.sendgrid import SendGridCallbacks
from gateway.callbacks.providers.twilio import TwilioCallbacks
from gateway.callbacks.requests import Callback

TOKEN = "0123456789abcdef0123456789abcdef"
SIGN_TWILIO = """
import json, sys
from twilio.request_validator import RequestValidator
token, url, form = json.load(sys.stdin)
json.dump(RequestValidator(token).compute_signature(url, form), sys.stdout)
"""
VERIFY_SENDGRID = """
import json, sys
from sendgrid.helpers.eventwebhook import EventWebhook
key, body, signature, timestamp = json.load(sys.stdin)
webhook = EventWebhook()
public_key = webhook.convert_public_key_to_ecdsa(key)
json.dump(bool(webhook.verify_signature(body, signature, timestamp, public_key)), sys.stdout)
"""


def run(programs: Path, script: str, *values: object) -> Any:
    """What a script of the makers' library says."""
    done = subprocess.run(
        [str(programs / "venv/bin/python"), "-c", script],
        input=json.dumps(values).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        (
            "https://notify.example.com/callbacks/twilio/",
            {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+15005550006"},
        ),
        (
            "https://notify.example.com:8443/callbacks/twilio/?via=eu&b=2",
            {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorMessage": "Zoë & 20%+", "X": ""},
        ),
        ("http://notify.example.com/callbacks/twilio/", {}),
    ],
)
def test_twilios_library_signs_what_we_believe(
    programs: Path, url: str, form: dict[str, str]
) -> None:
    signature = run(programs, SIGN_TWILIO, TOKEN, url, form)
    said = Callback(
        url, {"X-Twilio-Signature": signature}, urlencode(form).encode(), datetime.now(UTC)
    )
    TwilioCallbacks(TOKEN).verify(said)
    with pytest.raises(Unverified):
        TwilioCallbacks(TOKEN[::-1]).verify(said)


def sendgrid_callback(key: EllipticCurvePrivateKey, body: bytes) -> Callback:
    """Signed as SendGrid does it."""
    now = datetime.now(UTC)
    timestamp = str(int(now.timestamp()))
    signature = b64encode(key.sign(timestamp.encode() + body, ECDSA(SHA256()))).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return Callback("", headers, body, now)


def test_sendgrids_library_believes_what_we_believe(programs: Path) -> None:
    key = generate_private_key(SECP256R1())
    public = key.public_key()
    shown = b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    said = sendgrid_callback(key, '[{"event":"open","email":"zoë@example.com"}]\r\n'.encode())
    signature, timestamp = said.headers.values()
    SendGridCallbacks(public, 60).verify(said)
    assert run(programs, VERIFY_SENDGRID, shown, said.body.decode(), signature, timestamp) is True
    assert run(programs, VERIFY_SENDGRID, shown, "[]", signature, timestamp) is False
