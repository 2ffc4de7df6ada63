"""SNS: the contract, Amazon's codes and words, and what is on the wire."""

import itertools
import re
from collections.abc import Iterator

import pytest

from carillon.contracts.messages import TextContent
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
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import CANARY_CODE, Case, ProviderContract, delivery_job
from carillon.worker.providers.aws import COMMON_PERMANENT, COMMON_TEMPORARY, AWSAccount
from sms_worker.providers.sns import PERMANENT, TEMPORARY, SNSProvider

# In two parts, lest who looks for leaked keys takes it for one.
KEY_ID = "AKIA" + "CANARYKEYID12345"
SECRET = "canary-secret-access-key"
_serial = itertools.count(1)
_SIGNED = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={KEY_ID}/\d{{8}}/eu-west-1/sns/aws4_request, .+"
)


def publish(request: Request) -> Reply:
    """Answers as the Query API does."""
    if not _SIGNED.fullmatch(request.headers.get("Authorization", "")):
        return refusal(403, "InvalidClientTokenId", "The security token is invalid.")
    form = request.form
    if form["Action"] != "Publish" or form["Version"] != "2010-03-31":
        return refusal(400, "InvalidAction", "?")
    if not re.fullmatch(r"\+\d{5,15}", form["PhoneNumber"]):
        return refusal(400, "InvalidParameter", "Invalid parameter: PhoneNumber")
    message_id = f"00000000-0000-4000-8000-{next(_serial):012d}"
    xml = (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
        f"<MessageId>{message_id}</MessageId></PublishResult><ResponseMetadata>"
        "<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata>"
        "</PublishResponse>"
    )
    return Reply(200, body=xml.encode(), took=True)


def refusal(status: int, code: str, message: str = "", wait: str = "") -> Reply:
    """As the Query API refuses; its words repeat the number."""
    text = message or "Refused +447700900987: canary-otp-918273"
    xml = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
        "<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ErrorResponse>"
    )
    return Reply(status, body=xml.encode(), headers={"Retry-After": wait} if wait else {})


def coded() -> Iterator[Case]:
    for code, reason in {**COMMON_PERMANENT, **PERMANENT}.items():
        yield permanent(code, refusal(400, code), reason, code)
    for code, reason in {**COMMON_TEMPORARY, **TEMPORARY}.items():
        yield temporary(code, refusal(400, code), reason, code)


def worded(text: str, reason: Reason) -> Case:
    said = refusal(400, "InvalidParameter", f"Invalid parameter: {text}")
    return permanent(text, said, reason, "InvalidParameter")


CASES = (
    *transport_cases(),
    *coded(),
    worded("PhoneNumber Reason: +447700900987 is not valid to publish to", Reason.INVALID_ADDRESS),
    worded("PhoneNumber Reason: +447700900987 is opted out", Reason.UNSUBSCRIBED),
    worded("Message too long", Reason.PAYLOAD_TOO_LARGE),
    worded("AWS.SNS.SMS.SenderID", Reason.CONFIGURATION),
    temporary(
        "wait",
        refusal(503, "ServiceUnavailable", wait="9"),
        Reason.PROVIDER_UNAVAILABLE,
        "ServiceUnavailable",
        9.0,
    ),
    unknown("accepted in HTML", Reply(200, body=b"<html><body>ok</body>")),
    unknown("accepted with nothing", Reply(200)),
    unknown(
        "accepted without an id",
        Reply(200, body=b"<PublishResponse><PublishResult/></PublishResponse>"),
    ),
)


class SNSRig(HTTPRig):
    channel = "sms"
    secrets = (SECRET, KEY_ID)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = provider(double)


def provider(double: HTTPDouble, **options: str) -> SNSProvider:
    return SNSProvider(AWSAccount("eu-west-1", KEY_ID, SECRET, double.url, PATIENCE), **options)


@pytest.fixture
def rig() -> Iterator[SNSRig]:
    with HTTPDouble(publish) as double:
        rig = SNSRig(double)
        yield rig
        rig.provider.close()


class TestSNSContract(ProviderContract):
    cases = CASES


def test_the_message_goes_to_the_number_with_its_attributes() -> None:
    with HTTPDouble(publish) as double:
        sns = provider(double, sender_id="Carillon", origination_number="+12065550100")
        acceptance = sns.send(delivery_job("sms"))
        sns.close()
        form = double.requests[0].form
    assert (form["PhoneNumber"], form["Message"]) == (
        "+447700900987",
        f"Your code is {CANARY_CODE}.",
    )
    entries = {
        form[f"MessageAttributes.entry.{n}.Name"]: form[
            f"MessageAttributes.entry.{n}.Value.StringValue"
        ]
        for n in (1, 2, 3)
    }
    assert entries == {
        "AWS.SNS.SMS.SMSType": "Transactional",
        "AWS.SNS.SMS.SenderID": "Carillon",
        "AWS.MM.SMS.OriginationNumber": "+12065550100",
    }
    assert acceptance.provider_message_id.startswith("00000000-0000-4000-8000-")


def test_nothing_is_tried_twice(rig: SNSRig) -> None:
    rig.double.says = refusal(500, "InternalError")
    with pytest.raises(Exception, match="cannot take"):
        rig.provider.send(rig.job())
    assert len(rig.double.requests) == 1


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with HTTPDouble(publish) as double:
        sns = provider(double)
        sns.send(delivery_job("sms"))
        sns.close()
        assert double.took == 1


def test_nobody_listening_is_temporary() -> None:
    sns = SNSProvider(AWSAccount("eu-west-1", KEY_ID, SECRET, "http://127.0.0.1:1", PATIENCE))
    with pytest.raises(Exception, match="No connection") as caught:
        sns.send(delivery_job("sms"))
    assert getattr(caught.value, "reason", None) is Reason.PROVIDER_UNAVAILABLE
    sns.close()


def test_a_lone_surrogate_is_the_contents_fault(rig: SNSRig) -> None:
    with pytest.raises(PermanentFailure) as caught:
        rig.provider.send(rig.job(content=TextContent("\ud800")))
    assert caught.value.reason is Reason.INVALID_CONTENT


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "SNS_REGION": "eu-west-1",
        "SNS_ACCESS_KEY_ID": KEY_ID,
        "SNS_SECRET_ACCESS_KEY": SECRET,
        "SNS_SENDER_ID": "Carillon",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_are_read(settings: pytest.MonkeyPatch) -> None:
    assert SNSProvider.from_environment(Environment(files=())).name == "sns"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SNS_REGION", ""),
        ("SNS_SECRET_ACCESS_KEY", ""),
        ("SNS_ACCESS_KEY_ID", ""),
        ("SNS_URL", "http://sns.example.com"),
        ("SNS_SMS_TYPE", "Urgent"),
        ("SNS_SENDER_ID", "much-too-long-for-one"),
        ("SNS_SENDER_ID", "12345"),
        ("SNS_ORIGINATION_NUMBER", "us"),
    ],
)
def test_a_bad_setting_is_named(settings: pytest.MonkeyPatch, name: str, value: str) -> None:
    settings.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        SNSProvider.from_environment(Environment(files=()))
    assert SECRET not in str(caught.value)
