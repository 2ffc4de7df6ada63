"""Amazon SES: email through the v2 API, as the bytes that SMTP would carry.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.aws import AWSAccount, AWSCalls, acceptance_of
from carillon.worker.providers.verifying import refused, unanswered
from email_worker.mime import Sender, build_mail
from email_worker.providers.smtp import sender_from

# https://docs.aws.amazon.com/ses/latest/dg/quotas.html: after encoding.
LONGEST_MAIL = 40 * 1024 * 1024
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")

# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
PERMANENT: Mapping[str, Reason] = {
    "AccountSuspendedException": Reason.CONFIGURATION,
    "BadRequestException": Reason.INVALID_CONTENT,
    "MailFromDomainNotVerifiedException": Reason.CONFIGURATION,
    "MessageRejected": Reason.BLOCKED,
    "NotFoundException": Reason.CONFIGURATION,
    "SendingPausedException": Reason.CONFIGURATION,
}
TEMPORARY: Mapping[str, Reason] = {"LimitExceededException": Reason.RATE_LIMITED}


class SESProvider:
    """Sends each mail in a call of its own; Message-ID is Amazon's, ours is replaced by it."""

    name = "ses"
    # One a second in the sandbox of a new account; accounts outside it agree on more.
    capabilities = Capabilities(max_size=LONGEST_MAIL, rate_per_second=1)

    def __init__(
        self,
        account: AWSAccount,
        sender: Sender,
        *,
        configuration_set: str = "",
        receipts: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`configuration_set` names what SES does with its events."""
        self.receipts = receipts
        self._sender = sender
        self._now = now
        self._options = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._calls = AWSCalls(
            account, "sesv2", permanent=PERMANENT, temporary=TEMPORARY, now=time.time
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "SESProvider":
        """SES_REGION, EMAIL_FROM, what AWSAccount reads, and what has a default.

        Raises SettingsError.
        """
        configuration_set = env.text("SES_CONFIGURATION_SET", "")
        if configuration_set and not _CONFIGURATION_SET.fullmatch(configuration_set):
            raise SettingsError("SES_CONFIGURATION_SET", "is no name of one", "carillon-events")
        return cls(
            AWSAccount.from_environment(env, "SES"),
            sender_from(env.text("EMAIL_FROM", example="Carillon <notifications@example.com>")),
            configuration_set=configuration_set,
            receipts=env.flag("SES_RECEIPTS", False),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        mail = build_mail(job, self._sender, self._now())
        if len(mail.data) > LONGEST_MAIL:
            raise PermanentFailure(
                f"The mail is longer than {LONGEST_MAIL} bytes.", reason=Reason.PAYLOAD_TOO_LARGE
            )
        recipients = [recipient.address for recipient in mail.recipients]
        answer = self._calls.run(
            lambda: self._calls.client.send_email(
                FromEmailAddress=mail.sender.address,
                Destination={"ToAddresses": recipients},
                Content={"Raw": {"Data": mail.data}},
                # Come back with each event.
                EmailTags=[{"Name": "notification_id", "Value": job.notification_id}],
                **self._options,
            ),
            _reason_of,
        )
        return acceptance_of(answer)

    def verify(self) -> str:
        """Asks how the account stands. Raises TemporaryFailure, PermanentFailure or CannotVerify.

        https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
        """
        account = self._calls.check(self._calls.client.get_account, "ses:GetAccount")
        may_send = account.get("SendingEnabled")
        if not isinstance(may_send, bool):
            raise unanswered()
        if not may_send:
            raise refused("Amazon accepts the key, and sending is paused for the account.")
        if account.get("ProductionAccessEnabled") is not True:
            return (
                "Amazon accepts the key. The account is in the sandbox: it reaches verified "
                "addresses alone. The sender was not tried."
            )
        return "Amazon accepts the key, and the account may send. The sender was not tried."

    def close(self) -> None:
        """Close the pooled connections."""
        self._calls.close()


def _reason_of(code: str, text: str) -> Reason | None:
    """MessageRejected is about the sender or the content; only its words tell.

    https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
    """
    if code in {"MessageRejected", "BadRequestException"}:
        if "not verified" in text:
            return Reason.CONFIGURATION
        if "ddress" in text and ("llegal" in text or "nvalid" in text or "omain" in text):
            return Reason.INVALID_ADDRESS
        if "length" in text.lower() or "too long" in text:
            return Reason.PAYLOAD_TOO_LARGE
    return None
