"""SendGrid: the contract, each kind of documented refusal, and what is on the wire."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from carillon.contracts.messages import Address, EmailContent
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Reply,
    Request,
    permanent,
    temporary,
    transport_cases,
    unknown,
    unreadable_successes,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, CANARY_NAME, ProviderContract, delivery_job
from email_worker.providers.sendgrid import SendGridProvider

KEY = "SG.canary-api-key"
FROM = "Carillon <notifications@carillon.test>"
NOW = 1_700_000_000.0
_serial = itertools.count(1)


def refusal(status: int, field: str | None, message: str = "") -> Reply:
    """https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors; it repeats addresses."""
    said = message or "canary.recipient@canary-domain.example is not a valid email address."
    return Reply(status, {"errors": [{"message": said, "field": field, "help": None}]})


def mail_send(request: Request) -> Reply:
    """Answers as /v3/mail/send does."""
    if request.path != "/v3/mail/send":
        return refusal(404, None, "not found")
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return refusal(401, None, "The provided authorization grant is invalid")
    body = request.json
    if not body["personalizations"][0]["to"]:
        return refusal(400, "personalizations.0.to", "The to array is required")
    if not body["subject"]:
        return refusal(400, "subject", "The subject is required.")
    if not body["content"]:
        return refusal(400, "content", "Unless a valid template_id is provided …")
    message_id = f"{next(_serial):022d}"
    return Reply(202, headers={"X-Message-Id": message_id}, took=True)


def limited(headers: dict[str, str]) -> Reply:
    return replace(refusal(429, None, "too many requests"), headers=headers)


CASES = (
    *transport_cases(202),
    *unreadable_successes(202),
    unknown("sandbox mode", Reply(200, headers={"X-Message-Id": "x"})),
    permanent(
        "no such address",
        refusal(400, "personalizations.0.to.0.email"),
        Reason.INVALID_ADDRESS,
        "to",
    ),
    permanent("no subject", refusal(400, "subject"), Reason.INVALID_CONTENT, "subject"),
    permanent("bad content", refusal(400, "content.0.value"), Reason.INVALID_CONTENT, "content"),
    permanent("bad sender", refusal(400, "from.email"), Reason.CONFIGURATION, "from"),
    permanent("another field", refusal(400, "headers"), Reason.OTHER, "headers"),
    permanent("no field", refusal(400, None, "Bad Request"), Reason.OTHER, "400"),
    permanent("odd errors", Reply(400, {"errors": ["canary-otp-918273"]}), Reason.OTHER, "400"),
    permanent("revoked key", refusal(401, None), Reason.CONFIGURATION, "401"),
    permanent("no credit", refusal(401, None, "Maximum credits exceeded"), Reason.CONFIGURATION),
    permanent("sender not verified", refusal(403, "from"), Reason.CONFIGURATION, "403"),
    permanent("31 MB", refusal(413, None), Reason.PAYLOAD_TOO_LARGE, "413"),
    permanent("no JSON", refusal(415, None), Reason.OTHER, "415"),
    temporary(
        "limit until a time",
        limited({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 42:.0f}"}),
        Reason.RATE_LIMITED,
        "429",
        42.0,
    ),
)


class SendGridRig(HTTPRig):
    channel = "email"
    secrets = (KEY,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = SendGridProvider(
            url=double.url, key=KEY, sender=FROM, timeout=PATIENCE, clock=lambda: NOW
        )

    def sent(self, **changes: Any) -> Any:
        """The body that a job becomes."""
        self.provider.send(delivery_job("email", **changes))
        return self.double.requests[-1].json


@pytest.fixture
def rig() -> Iterator[SendGridRig]:
    with HTTPDouble(mail_send) as double:
        rig = SendGridRig(double)
        yield rig
        rig.provider.close()


class TestSendGridContract(ProviderContract):
    cases = CASES


def test_the_body_is_what_sendgrid_documents(rig: SendGridRig) -> None:
    job = delivery_job("email")
    acceptance = rig.provider.send(job)
    text = f"Your code is {CANARY_CODE}."
    to = {"email": "canary.recipient@canary-domain.example", "name": CANARY_NAME}
    body = rig.double.requests[0].json
    assert body.pop("tracking_settings")["click_tracking"]["enable"] is False
    assert body == {
        "from": {"email": "notifications@carillon.test", "name": "Carillon"},
        "personalizations": [{"to": [to]}],
        "subject": "Your code",
        "content": [
            {"type": "text/plain", "value": text},
            {"type": "text/html", "value": f"<p>{text}</p>"},
        ],
        "headers": {
            "Auto-Submitted": "auto-generated",
            "X-Notification-ID": job.notification_id,
            "X-Correlation-ID": job.correlation_id,
        },
        "custom_args": {"notification_id": job.notification_id},
    }
    assert acceptance.provider_message_id.isdigit()


def test_a_link_to_unsubscribe_becomes_the_two_headers(rig: SendGridRig) -> None:
    url = "https://notify.example.com/u/EQAAb_-c/"
    headers = rig.sent(content=EmailContent("News", "Hello", unsubscribe_url=url))["headers"]
    assert headers["List-Unsubscribe"] == f"<{url}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_absent_part_and_an_absent_name_are_left_out(rig: SendGridRig) -> None:
    body = rig.sent(content=EmailContent("Hello", html="<p>é</p>"), recipient_name=" ")
    assert body["content"] == [{"type": "text/html", "value": "<p>é</p>"}]
    assert "name" not in body["personalizations"][0]["to"][0]


def test_an_address_goes_out_once_and_its_domain_in_ascii(rig: SendGridRig) -> None:
    addresses = (Address("jo@straße.de"), Address("jo@xn--strae-oqa.de"))
    to = rig.sent(addresses=addresses, recipient_name="")["personalizations"][0]["to"]
    assert to == [{"email": "jo@xn--strae-oqa.de"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content": EmailContent("a\r\nBcc: x@y.example", "b")}, Reason.INVALID_CONTENT),
        ({"recipient_name": "a\nb"}, Reason.INVALID_CONTENT),
        ({"content": EmailContent("a", "\ud800")}, Reason.INVALID_CONTENT),
        ({"addresses": (Address("a@x.example,b@y.example"),)}, Reason.INVALID_ADDRESS),
    ],
)
def test_what_would_be_injected_is_refused_unsent(
    rig: SendGridRig, changes: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(PermanentFailure) as caught:
        rig.sent(**changes)
    assert caught.value.reason is reason
    assert rig.double.requests == []


@pytest.mark.parametrize(
    ("content", "field"),
    [(EmailContent("", "text"), "subject"), (EmailContent("subject"), "content")],
)
def test_what_is_empty_is_sendgrids_to_refuse(
    rig: SendGridRig, content: EmailContent, field: str
) -> None:
    with pytest.raises(PermanentFailure) as caught:
        rig.sent(content=content)
    assert (caught.value.reason, caught.value.code) == (Reason.INVALID_CONTENT, field)


def test_it_is_made_from_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    monkeypatch.setenv("EMAIL_FROM", FROM)
    monkeypatch.setenv("SENDGRID_RECEIPTS", "true")
    monkeypatch.setenv("SENDGRID_URL", "https://api.eu.sendgrid.com")
    assert SendGridProvider.from_environment(Environment(files=())).receipts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SENDGRID_API_KEY", ""),
        ("SENDGRID_URL", "http://api.sendgrid.com"),
        ("SENDGRID_RECEIPTS", "perhaps"),
        ("EMAIL_FROM", ""),
        ("EMAIL_FROM", "a@b.example, c@d.example"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    monkeypatch.setenv("EMAIL_FROM", FROM)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        SendGridProvider.from_environment(Environment(files=()))
    assert KEY not in str(caught.value)
