"""Amazon SNS: text messages to a number, without a topic.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

import re
import time
from collections.abc import Mapping

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.aws import AWSAccount, AWSCalls, acceptance_of
from carillon.worker.providers.http import single_address
from carillon.worker.providers.verifying import unanswered
from sms_worker.content import text_of

# https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
LONGEST_TEXT = 1600
_TYPES = ("Transactional", "Promotional")
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
PERMANENT: Mapping[str, Reason] = {
    "InvalidParameter": Reason.INVALID_CONTENT,
    "ParameterValueInvalid": Reason.INVALID_CONTENT,
    "EndpointDisabled": Reason.INVALID_ADDRESS,
    "NotFound": Reason.CONFIGURATION,
    "PlatformApplicationDisabled": Reason.CONFIGURATION,
    "KMSAccessDenied": Reason.CONFIGURATION,
    "KMSDisabled": Reason.CONFIGURATION,
    "KMSInvalidState": Reason.CONFIGURATION,
    "KMSNotFound": Reason.CONFIGURATION,
    "KMSOptInRequired": Reason.CONFIGURATION,
}
TEMPORARY: Mapping[str, Reason] = {"KMSThrottling": Reason.RATE_LIMITED}


class SNSProvider:
    """Sends to one number. What became of a message Amazon writes to CloudWatch alone."""

    name = "sns"
    receipts = False
    # https://docs.aws.amazon.com/general/latest/gr/sns.html: 20 a second in most regions.
    capabilities = Capabilities(max_size=LONGEST_TEXT, rate_per_second=20)

    def __init__(
        self,
        account: AWSAccount,
        *,
        sms_type: str = "Transactional",
        sender_id: str = "",
        origination_number: str = "",
    ) -> None:
        attributes = {
            "AWS.SNS.SMS.SMSType": sms_type,
            "AWS.SNS.SMS.SenderID": sender_id,
            "AWS.MM.SMS.OriginationNumber": origination_number,
        }
        self._attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in attributes.items()
            if value
        }
        self._calls = AWSCalls(
            account, "sns", permanent=PERMANENT, temporary=TEMPORARY, now=time.time
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "SNSProvider":
        """SNS_REGION, what AWSAccount reads, and what has a default. Raises SettingsError."""
        sms_type = env.text("SNS_SMS_TYPE", _TYPES[0])
        if sms_type not in _TYPES:
            raise SettingsError("SNS_SMS_TYPE", f"is none of {', '.join(_TYPES)}", _TYPES[0])
        sender_id = env.text("SNS_SENDER_ID", "")
        if sender_id and not _SENDER_ID.fullmatch(sender_id):
            raise SettingsError("SNS_SENDER_ID", "is no sender id", "Carillon")
        number = env.text("SNS_ORIGINATION_NUMBER", "")
        if number and not _NUMBER.fullmatch(number):
            raise SettingsError("SNS_ORIGINATION_NUMBER", "is no number", "+12065550100")
        account = AWSAccount.from_environment(env, "SNS")
        return cls(account, sms_type=sms_type, sender_id=sender_id, origination_number=number)

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        text = text_of(job, LONGEST_TEXT)
        number = single_address(job).value
        answer = self._calls.run(
            lambda: self._calls.client.publish(
                PhoneNumber=number, Message=text, MessageAttributes=self._attributes
            ),
            _reason_of,
        )
        return acceptance_of(answer)

    def verify(self) -> str:
        """Reads the SMS settings. Raises TemporaryFailure, PermanentFailure or CannotVerify.

        https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html
        """
        answer = self._calls.check(self._calls.client.get_sms_attributes, "sns:GetSMSAttributes")
        if "attributes" not in answer:
            raise unanswered()
        return "Amazon accepts the key, and it may see the SMS settings. Sending was not tried."

    def close(self) -> None:
        """Close the pooled connections."""
        self._calls.close()


def _reason_of(code: str, text: str) -> Reason | None:
    """InvalidParameter is about the number, the attributes or the text; only its words tell."""
    if code not in {"InvalidParameter", "InvalidParameterException"}:
        return None
    if "opted out" in text:
        return Reason.UNSUBSCRIBED
    if "phonenumber" in text.lower().replace(" ", ""):
        return Reason.INVALID_ADDRESS
    if "too long" in text:
        return Reason.PAYLOAD_TOO_LARGE
    return Reason.CONFIGURATION if "SMS" in text else None
