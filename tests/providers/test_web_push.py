"""Web Push against web-push-testing: another's browser decrypts what we encrypt."""

from typing import Any

import msgspec
import pytest
import requests

from carillon.contracts.messages import Address, PushContent
from carillon.errors import PermanentFailure, Reason
from carillon.testing.providers import delivery_job
from push_worker.providers.webpush import WebPushProvider
from push_worker.tests.browser import vapid_key
from tests.providers.conftest import PATIENCE


def ask(url: str, call: str, **form: str) -> Any:
    answer = requests.post(f"{url}/{call}", json=form, timeout=60)
    assert answer.ok, answer.text
    return answer.json().get("data") if answer.content.startswith(b"{") else None


@pytest.fixture
def subscription(web_push_testing: str) -> dict[str, Any]:
    made: dict[str, Any] = ask(
        web_push_testing,
        "subscribe",
        userVisibleOnly="true",
        applicationServerKey=vapid_key().public,
    )
    return made


def send(subscription: dict[str, Any], push: PushContent) -> None:
    token = msgspec.json.encode(
        {"endpoint": subscription["endpoint"], "keys": subscription["keys"]}
    ).decode()
    provider = WebPushProvider(vapid_key(), hosts=("localhost",), timeout=PATIENCE)
    try:
        provider.send(delivery_job("push", addresses=(Address(token, "webpush"),), content=push))
    finally:
        provider.close()


def test_the_browser_reads_what_we_sent(
    web_push_testing: str, subscription: dict[str, Any]
) -> None:
    push = PushContent("Żółw", "é" * 1500, data={"order": "7"}, ttl=60)
    send(subscription, push)
    heard = ask(web_push_testing, "get-notifications", clientHash=subscription["clientHash"])
    (message,) = heard["messages"]
    assert msgspec.json.decode(message) == {
        "title": "Żółw",
        "body": "é" * 1500,
        "data": {"order": "7"},
    }


def test_a_subscription_that_was_ended_is_dead(
    web_push_testing: str, subscription: dict[str, Any]
) -> None:
    requests.post(
        f"{web_push_testing}/expire-subscription/{subscription['clientHash']}", timeout=60
    )
    with pytest.raises(PermanentFailure) as caught:
        send(subscription, PushContent("T"))
    assert (caught.value.reason, caught.value.code) == (Reason.DEAD_TOKEN, "410")
