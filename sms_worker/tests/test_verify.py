"""Accounts of the text channels are verified without a text: Twilio, SNS and Meta; MSG91 cannot."""

from collections.abc import Iterator

import pytest

from carillon.contracts.provider import CannotVerify
from carillon.errors import Reason
from carillon.testing.http_double import HTTPDouble, HTTPRig, Reply, Request, says
from carillon.testing.patience import PATIENCE
from carillon.testing.verifying import (
    Check,
    HTTPVerifyContract,
    check_sentence,
    http_troubles,
    refused,
    trouble,
    verify,
)
from sms_worker.providers.meta import MetaProvider
from sms_worker.providers.msg91 import MSG91Provider
from sms_worker.providers.msg91_whatsapp import MSG91WhatsAppProvider
from sms_worker.providers.twilio import TwilioSMSProvider
from sms_worker.providers.twilio_whatsapp import TwilioWhatsAppProvider
from sms_worker.tests import test_meta, test_sns, twilio


def never(_request: Request) -> Reply:
    """Where a test says what to answer, nothing is answered by chance."""
    return Reply(500)


# --- Twilio


class TwilioVerifyRig(HTTPRig):
    channel = "sms"
    secrets = (twilio.TOKEN,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        account = twilio.account(double.url, timeout=PATIENCE)
        self.provider = TwilioSMSProvider(account, "+15005550006")


class TwilioWhatsAppVerifyRig(TwilioVerifyRig):
    channel = "whatsapp"

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        account = twilio.account(double.url, timeout=PATIENCE)
        self.provider = TwilioWhatsAppProvider(account, "+14155238886")


class TestTwilioVerifies(HTTPVerifyContract):
    accepts = twilio.account_shown()
    checks = (
        *http_troubles(),
        refused("wrong token", says(twilio.refusal(401, 20003, "Authenticate")), "20003"),
        refused("no such account", says(twilio.refusal(404, 20404)), "20404"),
        refused("suspended", says(twilio.account_shown("suspended"))),
        refused("closed", says(twilio.account_shown("closed"))),
        refused(
            "a status of tomorrow", says(twilio.account_shown(f"{twilio.TOKEN} canary-otp-918273"))
        ),
        trouble("too many", says(twilio.refusal(429, 20429)), Reason.RATE_LIMITED, "20429"),
        trouble("no status", says(Reply(200, {"sid": twilio.SID}))),
    )

    @pytest.fixture(params=[TwilioVerifyRig, TwilioWhatsAppVerifyRig])
    def rig(self, request: pytest.FixtureRequest) -> Iterator[TwilioVerifyRig]:
        with HTTPDouble(never) as double:
            rig = request.param(double)
            yield rig
            rig.provider.close()

    def test_the_call_is_the_documented_one(self, rig: TwilioVerifyRig) -> None:
        self.lets_in(rig)
        verify(rig)
        (request,) = rig.double.requests
        assert (request.method, request.path) == ("GET", twilio.ACCOUNT_PATH)
        assert request.headers["Authorization"].startswith("Basic ")


# --- SNS


def sms_attributes(entries: str = "") -> Reply:
    """https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html"""
    xml = (
        '<GetSMSAttributesResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        f"<GetSMSAttributesResult><attributes>{entries}</attributes></GetSMSAttributesResult>"
        "<ResponseMetadata><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId>"
        "</ResponseMetadata></GetSMSAttributesResponse>"
    )
    return Reply(200, body=xml.encode())


class TestSNSVerifies(HTTPVerifyContract):
    accepts = sms_attributes("<entry><key>DefaultSMSType</key><value>Transactional</value></entry>")
    checks = (
        *http_troubles(),
        refused(
            "no such key",
            says(test_sns.refusal(403, "InvalidClientTokenId")),
            "InvalidClientTokenId",
        ),
        refused("wrong secret", says(test_sns.refusal(403, "SignatureDoesNotMatch"))),
        trouble("throttled", says(test_sns.refusal(400, "Throttling")), Reason.RATE_LIMITED),
        Check("may not look", says(test_sns.refusal(403, "AuthorizationError")), CannotVerify),
    )

    @pytest.fixture
    def rig(self) -> Iterator[test_sns.SNSRig]:
        with HTTPDouble(never) as double:
            rig = test_sns.SNSRig(double)
            yield rig
            rig.provider.close()

    def test_an_account_without_settings_is_one_too(self, rig: test_sns.SNSRig) -> None:
        rig.double.says = sms_attributes()
        check_sentence(verify(rig))
        (request,) = rig.double.requests
        assert request.form["Action"] == "GetSMSAttributes"


# --- Meta


class MetaVerifyRig(HTTPRig):
    channel = "whatsapp"
    secrets = (test_meta.TOKEN,)

    def __init__(self, double: HTTPDouble) -> None:
        super().__init__(double)
        self.provider = MetaProvider(
            url=double.url, token=test_meta.TOKEN, phone_number_id=test_meta.PHONE, timeout=PATIENCE
        )


class TestMetaVerifies(HTTPVerifyContract):
    accepts = Reply(200, {"id": test_meta.PHONE})
    checks = (
        *http_troubles(),
        refused("expired token", says(test_meta.refusal(401, 190)), "190"),
        refused("another's number", says(test_meta.refusal(400, 100)), "100"),
        refused("no permission", says(test_meta.refusal(403, 200)), "200"),
        trouble("too many", says(test_meta.refusal(400, 80007)), Reason.RATE_LIMITED, "80007"),
        trouble("of another number", says(Reply(200, {"id": "1"}))),
    )

    @pytest.fixture
    def rig(self) -> Iterator[MetaVerifyRig]:
        with HTTPDouble(never) as double:
            rig = MetaVerifyRig(double)
            yield rig
            rig.provider.close()

    def test_the_call_is_the_documented_one(self, rig: MetaVerifyRig) -> None:
        self.lets_in(rig)
        verify(rig)
        (request,) = rig.double.requests
        assert (request.method, request.path) == ("GET", f"/v23.0/{test_meta.PHONE}?fields=id")
        assert request.headers["Authorization"] == f"Bearer {test_meta.TOKEN}"


# --- MSG91


def test_msg91_says_that_it_cannot_tell() -> None:
    with HTTPDouble(never) as double:
        sms = MSG91Provider(url=double.url, key="canary-authkey", template_id="5e1e")
        whatsapp = MSG91WhatsAppProvider(url=double.url, key="canary-authkey", number="9198765")
        for provider in (sms, whatsapp):
            with pytest.raises(CannotVerify) as caught:
                provider.verify()
            check_sentence(caught.value.message)
            provider.close()
        assert double.requests == []
