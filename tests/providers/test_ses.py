"""Amazon SES against moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests

from carillon.contracts.messages import Address, Attachment, EmailContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.providers import delivery_job
from carillon.worker.providers.aws import AWSAccount
from email_worker.providers.ses import SESProvider
from email_worker.providers.smtp import sender_from
from tests.providers.conftest import PATIENCE

SENDER = "notifications@carillon.test"
ACCOUNT = ("eu-west-1", "AKIAEXAMPLE", "secret")


@pytest.fixture
def ses(moto: str) -> Iterator[SESProvider]:
    made = SESProvider(AWSAccount(*ACCOUNT, moto, PATIENCE), sender_from(f"Carillon <{SENDER}>"))
    yield made
    made.close()


@pytest.fixture
def verified(moto: str) -> Iterator[None]:
    """The sender is an identity of the account."""
    region, key_id, secret = ACCOUNT
    client: Any = boto3.client(
        "ses", region, endpoint_url=moto, aws_access_key_id=key_id, aws_secret_access_key=secret
    )
    client.verify_email_identity(EmailAddress=SENDER)
    yield
    client.delete_identity(Identity=SENDER)
    client.close()


def test_an_unverified_sender_is_refused_in_our_words(ses: SESProvider) -> None:
    with pytest.raises(PermanentFailure) as caught:
        ses.send(delivery_job("email"))
    # moto has words of its own for it, by which Amazon's `configuration` is not recognised.
    assert (caught.value.reason, caught.value.code) == (Reason.BLOCKED, "MessageRejected")
    assert SENDER not in caught.value.message


@pytest.mark.usefixtures("verified")
def test_a_mail_is_taken_as_it_was_built(ses: SESProvider, moto: str) -> None:
    content = EmailContent(
        "Grüße", "text", "<p>html</p>", attachments=(Attachment("a.txt", "text/plain", b"file"),)
    )
    job = delivery_job("email", addresses=(Address("ada@example.com"),), content=content)
    first, second = (ses.send(job) for _ in range(2))
    assert first.provider_message_id
    assert first.provider_message_id != second.provider_message_id
    kept = requests.get(f"{moto}/moto-api/data.json", timeout=60).json()["ses"]["RawMessage"]
    raw = str(kept)
    assert job.notification_id in raw
    assert "a.txt" in raw
