"""Anymail's services: the contract for one, what each accepts and refuses, what is on the wire."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

import pytest

from carillon.contracts.messages import Attachment, EmailContent
from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.settings import ROOT, Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Reply,
    Request,
    permanent,
    temporary,
    transport_cases,
    unknown,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_NAME, ProviderContract, delivery_job
from email_worker.providers.anymail import SERVICES, Account, AnymailProvider, factories

FROM = "Carillon <notifications@carillon.test>"
KEY = "canary-api-key"
_serial = itertools.count(1)

# How each service says that it took a mail, with the id that it gives.
ACCEPTS: Mapping[str, Callable[[str], Reply]] = {
    "brevo": lambda id_: Reply(201, {"messageId": id_}),
    "mailgun": lambda id_: Reply(200, {"id": id_, "message": "Queued. Thank you."}),
    "mailjet": lambda id_: Reply(200, {"Messages": [{"Status": "success", "To": [
        {"Email": "canary.recipient@canary-domain.example", "MessageID": id_}]}]}),
    "mandrill": lambda id_: Reply(200, [
        {"email": "canary.recipient@canary-domain.example", "status": "sent", "_id": id_}]),
    "postmark": lambda id_: Reply(200, {"ErrorCode": 0, "Message": "OK", "MessageID": id_,
        "To": "canary.recipient@canary-domain.example"}),
    "resend": lambda id_: Reply(200, {"id": id_}),
    "sparkpost": lambda id_: Reply(200, {"results": {
        "total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": id_}}),
}  # fmt: skip


def taking(service: str) -> Callable[[Request], Reply]:
    """Answers every mail with a new id."""

    def answer(_request: Request) -> Reply:
        reply = ACCEPTS[service](f"id-{next(_serial)}")
        return Reply(reply.status, reply.json, headers=reply.headers, took=True)

    return answer


def provider(service: str, double: HTTPDouble) -> AnymailProvider:
    credentials = dict.fromkeys(SERVICES[service].needs, KEY)
    return AnymailProvider(SERVICES[service], Account(credentials, FROM, double.url, PATIENCE))


class AnymailRig(HTTPRig):
    channel = "email"
    secrets = (KEY,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = provider("postmark", double)


@pytest.fixture
def rig() -> Iterator[AnymailRig]:
    with HTTPDouble(taking("postmark")) as double:
        rig = AnymailRig(double)
        yield rig
        rig.provider.close()


class TestPostmarkContract(ProviderContract):
    cases = (
        *transport_cases(),
        permanent("token", Reply(401, {"ErrorCode": 10}), Reason.CONFIGURATION, "401"),
        permanent(
            "inactive recipient",
            Reply(422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that has "
                "been marked as inactive. Found inactive addresses: "
                "canary.recipient@canary-domain.example. Inactive recipients are ones that have "
                    "generated a hard bounce, a spam complaint, or a manual suppression."}),
            Reason.BLOCKED,
        ),
        permanent(
            "invalid address",
            Reply(422, {"ErrorCode": 300, "Message": "Invalid 'To' address: "
                "'canary.recipient@canary-domain.example'."}),
            Reason.INVALID_ADDRESS,
        ),
        temporary("in trouble with words", Reply(500, {"ErrorCode": 1, "Message": "?"}),
                  Reason.PROVIDER_UNAVAILABLE, "500"),
        unknown("accepted in HTML", Reply(200, body=b"<html>ok</html>")),
    )  # fmt: skip


def test_every_service_has_its_example() -> None:
    assert set(ACCEPTS) == set(SERVICES) == set(factories())


@pytest.mark.parametrize("service", SERVICES)
def test_a_mail_is_taken_with_an_id(service: str) -> None:
    with HTTPDouble(taking(service)) as double:
        sending = provider(service, double)
        acceptance = sending.send(delivery_job("email"))
        sending.close()
    assert acceptance.provider_message_id.startswith("id-")
    told = double.requests[0].body
    assert b"canary.recipient@canary-domain.example" in told or b"canary.recipient%40" in told
    assert CANARY_NAME.split()[0].encode() in told


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply(401, {"message": "no"}), PermanentFailure),
        (Reply(429, {"message": "slow"}), TemporaryFailure),
        (Reply(503, {"message": "later"}), TemporaryFailure),
        (Reply(200, body=b"<html>"), OutcomeUnknown),
    ],
    ids=("401", "429", "503", "nonsense"),
)
def test_a_refusal_is_told_by_its_status(
    service: str, reply: Reply, failure: type[DeliveryFailure]
) -> None:
    with HTTPDouble(lambda _: reply) as double:
        sending = provider(service, double)
        with pytest.raises(failure) as caught:
            sending.send(delivery_job("email"))
        sending.close()
    assert KEY not in caught.value.message


def test_files_headers_and_the_way_to_answer_go_along() -> None:
    content = EmailContent(
        "Hello", "text", "<img src='cid:logo'>",
        unsubscribe_url="https://notify.example.com/u/token/",
        reply_to="support@example.com", headers={"X-Campaign": "spring"},
        attachments=(
            Attachment("März.pdf", "application/pdf", b"%PDF"),
            Attachment("logo.png", "image/png", b"png", content_id="logo"),
        ),
    )  # fmt: skip
    with HTTPDouble(taking("postmark")) as double:
        sending = provider("postmark", double)
        sending.send(delivery_job("email", content=content))
        sending.close()
        body = double.requests[0].json
    assert body["ReplyTo"] == "support@example.com"
    headers = {each["Name"]: each["Value"] for each in body["Headers"]}
    assert headers["X-Campaign"] == "spring"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    saved, shown = body["Attachments"]
    assert (saved["Name"], saved["Content"]) == ("März.pdf", "JVBERg==")
    assert shown["ContentID"] == "cid:logo"


@pytest.mark.parametrize("subject", ["a\r\nBcc: b@example.com", "a\x00"])
def test_a_subject_makes_no_header(rig: AnymailRig, subject: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        rig.provider.send(rig.job(content=EmailContent(subject, "text")))
    assert caught.value.reason is Reason.INVALID_CONTENT
    assert rig.double.requests == []


def test_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUN_API_KEY", KEY)
    monkeypatch.setenv("MAILGUN_RECEIPTS", "true")
    monkeypatch.setenv("EMAIL_FROM", FROM)
    made = factories()["mailgun"](Environment(files=()))
    assert (made.name, made.receipts) == ("mailgun", True)
    made.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAILJET_API_KEY", ""),
        ("MAILJET_SECRET_KEY", ""),
        ("MAILJET_URL", "http://api.example.com"),
        ("EMAIL_FROM", "nobody"),
        ("MAILJET_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for known in ("MAILJET_API_KEY", "MAILJET_SECRET_KEY"):
        monkeypatch.setenv(known, KEY)
    monkeypatch.setenv("EMAIL_FROM", FROM)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        factories()["mailjet"](Environment(files=()))
    assert KEY not in str(caught.value)


def test_who_names_none_of_them_loads_no_django() -> None:
    script = (
        "import sys, email_worker.registry; "
        "sys.exit(any(name.split('.')[0] in {'django', 'anymail'} for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=True)
