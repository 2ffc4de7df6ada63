"""SES: the contract, Amazon's codes and words, and what is on the wire."""

import base64
import itertools
import re
from collections.abc import Iterator

import pytest

from carillon.errors import Reason
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
from carillon.testing.providers import CANARY_CODE, Case, ProviderContract, delivery_job
from carillon.worker.providers.aws import COMMON_PERMANENT, COMMON_TEMPORARY, AWSAccount
from email_worker.providers.ses import PERMANENT, TEMPORARY, SESProvider
from email_worker.providers.smtp import sender_from

KEY_ID, SECRET = "CANARYKEYID", "canary-secret-access-key"
FROM = "Carillon <notifications@carillon.test>"
PATH = "/v2/email/outbound-emails"
_serial = itertools.count(1)
_SIGNED = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={KEY_ID}/\d{{8}}/eu-west-1/ses/aws4_request, .+"
)


def send_email(request: Request) -> Reply:
    """Answers as SendEmail does."""
    if not _SIGNED.fullmatch(request.headers.get("Authorization", "")):
        return refusal("InvalidClientTokenId", "The security token is invalid.", 403)
    if request.path != PATH:
        return refusal("NotFoundException", "?", 404)
    body = request.json
    if not base64.b64decode(body["Content"]["Raw"]["Data"], validate=True):
        return refusal("BadRequestException", "Missing content.")
    message_id = f"0102018c{next(_serial):08d}-00000000-0000-4000-8000-000000000000-000000"
    return Reply(200, {"MessageId": message_id}, took=True)


def refusal(code: str, message: str = "", status: int = 400, wait: str = "") -> Reply:
    """As the v2 API refuses; its words repeat the address."""
    said = message or f"Refused canary.recipient@canary-domain.example: {CANARY_CODE}"
    headers = {"x-amzn-ErrorType": code, **({"Retry-After": wait} if wait else {})}
    return Reply(status, {"message": said}, headers=headers)


def coded() -> Iterator[Case]:
    for code, reason in {**COMMON_PERMANENT, **PERMANENT}.items():
        yield permanent(code, refusal(code), reason, code)
    for code, reason in {**COMMON_TEMPORARY, **TEMPORARY}.items():
        yield temporary(code, refusal(code), reason, code)


def worded(code: str, text: str, reason: Reason) -> Case:
    return permanent(f"{code}: {text}", refusal(code, text), reason, code)


CASES = (
    *transport_cases(),
    *coded(),
    worded(
        "MessageRejected",
        "Email address is not verified. The following identities failed the check in region "
        "EU-WEST-1: canary.recipient@canary-domain.example",
        Reason.CONFIGURATION,
    ),
    worded("BadRequestException", "Illegal address", Reason.INVALID_ADDRESS),
    worded("BadRequestException", "Local address contains control or whitespace: domain",
           Reason.INVALID_ADDRESS),
    worded("BadRequestException", "Message length is more than 41943040 bytes long: '41943041'.",
           Reason.PAYLOAD_TOO_LARGE),
    temporary(
        "wait",
        refusal("TooManyRequestsException", status=429, wait="9"),
        Reason.RATE_LIMITED,
        "TooManyRequestsException",
        9.0,
    ),
    *unreadable_successes(),
    unknown("accepted without an id", Reply(200, {})),
)  # fmt: skip


class SESRig(HTTPRig):
    channel = "email"
    secrets = (SECRET, KEY_ID)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = provider(double)


def provider(double: HTTPDouble, configuration_set: str = "") -> SESProvider:
    account = AWSAccount("eu-west-1", KEY_ID, SECRET, double.url, PATIENCE)
    return SESProvider(account, sender_from(FROM), configuration_set=configuration_set)


@pytest.fixture
def rig() -> Iterator[SESRig]:
    with HTTPDouble(send_email) as double:
        rig = SESRig(double)
        yield rig
        rig.provider.close()


class TestSESContract(ProviderContract):
    cases = CASES


def test_the_mail_is_the_one_that_smtp_would_carry() -> None:
    job = delivery_job("email")
    with HTTPDouble(send_email) as double:
        ses = provider(double, configuration_set="carillon-events")
        acceptance = ses.send(job)
        ses.close()
        body = double.requests[0].json
    assert body["FromEmailAddress"] == "notifications@carillon.test"
    assert body["Destination"] == {"ToAddresses": ["canary.recipient@canary-domain.example"]}
    assert body["ConfigurationSetName"] == "carillon-events"
    assert body["EmailTags"] == [{"Name": "notification_id", "Value": job.notification_id}]
    mail = base64.b64decode(body["Content"]["Raw"]["Data"]).decode()
    assert f"X-Notification-ID: {job.notification_id}\r\n" in mail
    assert CANARY_CODE in mail
    assert acceptance.provider_message_id.startswith("0102018c")


def test_nothing_is_tried_twice(rig: SESRig) -> None:
    rig.double.says = refusal("InternalFailure", status=500)
    with pytest.raises(Exception, match="cannot take"):
        rig.provider.send(rig.job())
    assert len(rig.double.requests) == 1


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "SES_REGION": "eu-west-1",
        "SES_ACCESS_KEY_ID": KEY_ID,
        "SES_SECRET_ACCESS_KEY": SECRET,
        "EMAIL_FROM": FROM,
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_are_read(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("SES_RECEIPTS", "true")
    made = SESProvider.from_environment(Environment(files=()))
    assert (made.name, made.receipts) == ("ses", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SES_REGION", ""),
        ("SES_SECRET_ACCESS_KEY", ""),
        ("SES_URL", "http://email.example.com"),
        ("SES_CONFIGURATION_SET", "no name"),
        ("SES_RECEIPTS", "perhaps"),
        ("EMAIL_FROM", ""),
        ("EMAIL_FROM", "nobody"),
    ],
)
def test_a_bad_setting_is_named(settings: pytest.MonkeyPatch, name: str, value: str) -> None:
    settings.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        SESProvider.from_environment(Environment(files=()))
    assert SECRET not in str(caught.value)
