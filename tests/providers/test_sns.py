"""Amazon SNS against moto."""

import pytest

from carillon.contracts.messages import Address, TextContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.providers import delivery_job
from carillon.worker.providers.aws import AWSAccount
from sms_worker.providers.sns import SNSProvider
from tests.providers.conftest import PATIENCE


@pytest.fixture
def sns(moto: str) -> SNSProvider:
    account = AWSAccount("eu-west-1", "AKIAEXAMPLE", "secret", moto, PATIENCE)
    return SNSProvider(account, sender_id="Carillon")


def test_a_message_to_a_number_is_taken(sns: SNSProvider) -> None:
    first, second = (sns.send(delivery_job("sms")) for _ in range(2))
    sns.close()
    assert first.provider_message_id
    assert first.provider_message_id != second.provider_message_id


def test_an_account_is_verified_by_its_settings(sns: SNSProvider) -> None:
    assert "accepts the key" in sns.verify()
    sns.close()


def test_a_text_that_is_too_long_for_amazon_never_leaves(sns: SNSProvider) -> None:
    with pytest.raises(PermanentFailure) as caught:
        sns.send(delivery_job("sms", content=TextContent("x" * 1601)))
    sns.close()
    assert caught.value.reason is Reason.PAYLOAD_TOO_LARGE


def test_a_number_that_is_none_is_refused_in_our_words(sns: SNSProvider) -> None:
    with pytest.raises(PermanentFailure) as caught:
        sns.send(delivery_job("sms", addresses=(Address("nobody"),)))
    sns.close()
    assert caught.value.reason is Reason.INVALID_ADDRESS
    assert "nobody" not in str(caught.value)
