"""Callbacks of organizations' own accounts: their own key, and their own messages alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.provider_accounts import ACCOUNT_SHAPES
from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from carillon.contracts.status import Status
from gateway.callbacks import accounts, endpoint, registry
from gateway.callbacks.accounts import AccountVerifier, AccountVerifiers, seal_secrets
from gateway.callbacks.models import AccountCallbacks, CallbackEvent
from gateway.callbacks.providers.postmark import PostmarkCallbacks
from gateway.callbacks.providers.sns import SNSVerifier
from gateway.connections import credential_sealer
from gateway.notifications.models import Notification
from gateway.organizations.models import Organization
from gateway.outbox.database import Connection
from gateway.provider_accounts.models import ProviderAccount
from gateway.suppressions.models import AddressReport
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Amazon, Drain, Send
from gateway.tests.callbacks.signing import MESSAGE_IDS, SETTINGS, SIGNERS, Signed
from gateway.tests.callbacks.test_draining import results, sent, status_of
from gateway.tests.factories import make_provider_account

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

OTHER = "a-secret-of-another-account-of-ours"
CHANNELS = {provider: channel for channel, shapes in ACCOUNT_SHAPES.items() for provider in shapes}


@pytest.fixture(autouse=True)
def fresh(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has just started, with Amazon's double for accounts too."""
    verifier = SNSVerifier(amazon.fetch)
    monkeypatch.setattr(registry, "_accounts_verifier", lambda: verifier)
    accounts.account_verifiers.cache_clear()
    yield
    accounts.account_verifiers.cache_clear()


def make_callbacks(
    provider: str, organization: Organization | None = None, **secrets: str
) -> ProviderAccount:
    """An account whose callbacks are verified with what the platform's are, where none is given."""
    account = make_provider_account(
        organization,
        provider=provider,
        channel=CHANNELS[provider],
        credentials={"auth_token": secrets.pop("auth_token", SETTINGS.twilio_auth_token)},
    )
    platforms = dict(SETTINGS.secrets())[provider]
    names = {field.name for field in CALLBACK_SHAPES[provider].secrets}
    given = secrets or {name: value for name, value in platforms.items() if name in names}
    sealed = seal_secrets(account.pk, account.organization_id, given, credential_sealer())
    AccountCallbacks.objects.create(account=account, sealed=sealed, receipts=True)
    return account


def at(account: ProviderAccount, signed: Signed) -> Signed:
    """What a provider sends to the account's address; those that sign the address sign this one."""
    path = f"/callbacks/{account.provider}/{account.pk}/"
    if account.provider == "twilio":
        return signing.twilio(path, MessageSid="SM1", MessageStatus="delivered")
    if account.provider == "mandrill":
        return signing.mandrill({"event": "delivered", "_id": "mandrill-1"}, path=path)
    # MSG91's secret stands behind the id.
    return replace(signed, path=signed.path.replace(f"/callbacks/{account.provider}/", path))


@pytest.mark.parametrize("provider", SIGNERS)
def test_every_providers_receipt_is_about_its_organization_alone(
    provider: str, send: Send, drained: Drain, session: Connection
) -> None:
    ours = sent(session, MESSAGE_IDS[provider], provider=provider)
    theirs = sent(session, MESSAGE_IDS[provider], provider=provider)
    account = make_callbacks(provider, ours.organization)
    assert send(at(account, SIGNERS[provider]())) == 200
    kept = CallbackEvent.objects.get()
    assert (kept.provider, kept.organization_id) == (provider, ours.organization_id)
    # The id is of both, and yet it is plain whom it is about.
    assert results(drained()) == ["applied"]
    assert (status_of(ours), status_of(theirs)) == (Status.DELIVERED, Status.SENT)


def test_no_account_touches_another_organizations_message(
    send: Send, drained: Drain, session: Connection
) -> None:
    theirs = sent(session, "sg-1")
    account = make_callbacks("sendgrid")
    events = (
        {"event": kind, "sg_message_id": "sg-1", "notification_id": theirs.pk}
        for kind in ("delivered", "bounce", "spamreport", "unsubscribe", "open")
    )
    assert send(at(account, signing.sendgrid(*events))) == 200
    assert results(drained()) == []
    last = drained(timezone.now() + timedelta(days=2))
    assert results(last) == ["unknown"] * 5
    assert status_of(theirs) == Status.SENT
    assert not AddressReport.objects.exists()
    assert theirs.engagement.count() == 0


def test_an_account_does_not_silence_what_the_platform_is_told(
    send: Send, drained: Drain, session: Connection
) -> None:
    """Whoever knows a report's id could say it first, and ours would be a repetition."""
    notification = sent(session, "sg-1")
    said = {"event": "delivered", "sg_message_id": "sg-1", "sg_event_id": "known"}
    for account in (make_callbacks("sendgrid"), make_callbacks("sendgrid")):
        assert send(at(account, signing.sendgrid({**said, "event": "deferred"}))) == 200
    assert send(signing.sendgrid(said)) == 200
    assert CallbackEvent.objects.count() == 3
    assert "applied" in results(drained())
    assert status_of(notification) == Status.DELIVERED


def test_an_account_is_known_by_its_own_key_alone(send: Send) -> None:
    key = signing.OTHER_SENDGRID_KEY
    account = make_callbacks("sendgrid", public_key=signing.shown_key(key))
    said = {"event": "open", "sg_message_id": "1"}
    assert send(at(account, signing.sendgrid(said))) == 403
    assert send(signing.sendgrid(said, key=key)) == 403
    assert send(at(account, signing.sendgrid(said, key=key))) == 200


def test_twilios_account_signs_with_the_token_that_sends(send: Send) -> None:
    account = make_callbacks("twilio", auth_token=OTHER)
    path = f"/callbacks/twilio/{account.pk}/"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    assert send(signing.twilio(path, **fields)) == 403
    # The same words to the platform's address are not the same.
    assert send(signing.twilio(token=OTHER, **fields), path=path) == 403
    assert send(signing.twilio(path, token=OTHER, **fields)) == 200


def nobody() -> str:
    return ids.new_id(ids.PROVIDER_ACCOUNT)


@pytest.mark.parametrize("provider", SIGNERS)
def test_who_is_not_there_is_answered_as_a_wrong_key_is(provider: str, send: Send) -> None:
    account = make_callbacks(provider)
    signed = at(account, SIGNERS[provider]())
    assert send(signed) == 200
    other = next(name for name in ("sendgrid", "postmark") if name != provider)
    elsewhere = make_callbacks(other)
    unset = make_provider_account(provider=provider, channel=CHANNELS[provider])
    deleted = make_callbacks(provider)
    deleted.delete()
    for account_id in (nobody(), elsewhere.pk, unset.pk, deleted.pk or nobody()):
        assert send(replace(signed, path=signed.path.replace(account.pk, account_id))) == 403


def test_what_is_no_id_is_no_address(send: Send) -> None:
    said = signing.sendgrid({"event": "open", "sg_message_id": "1"})
    for path in (
        "/callbacks/nobody/{}/",
        "/callbacks/smtp/{}/",
        "/callbacks/sendgrid/acct_x/secret/",
        "/callbacks/sendgrid/{}/a/b/",
    ):
        assert (
            Client().post(path.format(nobody()), said.body, "application/json").status_code == 404
        )


def test_a_deleted_account_is_believed_for_a_minute_at_most(send: Send) -> None:
    account = make_callbacks("postmark")
    clock = [0.0]
    verifiers = AccountVerifiers(accounts.load_verifier, lambda: clock[0])
    assert verifiers.find(account.pk, "postmark") is not None
    account_id = account.pk
    account.delete()
    assert verifiers.find(account_id, "postmark") is not None
    clock[0] = accounts.REMEMBERED
    assert verifiers.find(account_id, "postmark") is None


def test_a_new_key_holds_at_once_where_there_was_none() -> None:
    known: dict[str, AccountVerifier] = {}
    verifiers = AccountVerifiers(lambda account_id, _provider: known.get(account_id))
    assert verifiers.find("acct_1", "sendgrid") is None
    known["acct_1"] = AccountVerifier(uuid4(), PostmarkCallbacks("s" * 16))
    assert verifiers.find("acct_1", "sendgrid") is known["acct_1"]


def test_what_is_remembered_is_bounded_and_made_up_ids_push_nobody_out() -> None:
    verifier, asked = AccountVerifier(uuid4(), PostmarkCallbacks("s" * 16)), []

    def load(account_id: str, _provider: str) -> AccountVerifier | None:
        asked.append(account_id)
        return None if account_id.startswith("nobody") else verifier

    verifiers = AccountVerifiers(load)
    verifiers.find("ours", "sendgrid")
    for number in range(accounts.ACCOUNTS_MOST):
        verifiers.find(f"nobody{number}", "sendgrid")
    assert verifiers.find("ours", "sendgrid") is verifier
    assert asked.count("ours") == 1
    for number in range(accounts.ACCOUNTS_MOST):
        verifiers.find(f"somebody{number}", "sendgrid")
        verifiers.find("ours", "sendgrid")
    # Who is heard of stays; who is not, goes.
    assert asked.count("ours") == 1
    assert len(verifiers._known) == accounts.ACCOUNTS_MOST
    verifiers.find("somebody0", "sendgrid")
    assert asked.count("somebody0") == 2


@pytest.mark.parametrize("provider", SIGNERS)
def test_what_holds_no_proof_costs_no_query(
    provider: str, send: Send, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        empty = Signed(f"/callbacks/{provider}/{nobody()}/", b"[]")
        assert send(empty) == 403
        large = {**empty.headers, "Transfer-Encoding": "chunked"}
        assert send(empty, headers=large) == 413


def test_while_the_database_is_away_it_is_to_come_again(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OperationalError("away")

    account = make_callbacks("sendgrid")
    signed = at(account, signing.sendgrid({"event": "open", "sg_message_id": "1"}))
    verifiers = AccountVerifiers(fail)
    monkeypatch.setattr(endpoint, "account_verifiers", lambda: verifiers)
    assert send(signed) == 503


def test_credentials_that_no_key_opens_verify_nothing(
    send: Send, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    account = make_callbacks("postmark")
    # A token that is well sealed, and is not for this.
    ProviderAccount.objects.filter(pk=account.pk).update(provider="postmark")
    AccountCallbacks.objects.filter(pk=account.pk).update(
        sealed=credential_sealer().seal(
            account.pk, account.organization_id, {"secret": SETTINGS.postmark_secret}
        )
    )
    assert send(at(account, SIGNERS["postmark"]())) == 403
    said = capsys.readouterr()
    assert SETTINGS.postmark_secret not in caplog.text + said.out + said.err


def test_an_inactive_account_still_hears_what_became_of_its_messages(send: Send) -> None:
    account = make_callbacks("postmark")
    ProviderAccount.objects.filter(pk=account.pk).update(is_active=False)
    assert send(at(account, SIGNERS["postmark"]())) == 200


def test_accounts_report_so_often_and_no_more(send: Send, configure: Any, redis_url: str) -> None:
    account, other = make_callbacks("postmark"), make_callbacks("postmark")
    configure(callbacks=replace(SETTINGS, account_limit=2), public_url=signing.PUBLIC)
    signed = at(account, SIGNERS["postmark"]())
    # What is not verified counts against nobody.
    for _ in range(5):
        assert send(signed, headers=signing.basic("wrong")) == 403
    assert [send(signed) for _ in range(3)] == [200, 200, 429]
    assert send(at(other, SIGNERS["postmark"]())) == 200
    assert send(SIGNERS["postmark"]()) == 200


def test_meta_asks_an_account_too(send: Send) -> None:
    account = make_callbacks("meta")
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": SETTINGS.meta_verify_token,
    }
    answer = Client().get(f"/callbacks/meta/{account.pk}/", query)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    for path, wrong in (
        (f"/callbacks/meta/{account.pk}/", {"hub.verify_token": "wrong"}),
        (f"/callbacks/meta/{nobody()}/", {}),
    ):
        assert Client().get(path, {**query, **wrong}).status_code == 403
    assert Client().get(f"/callbacks/twilio/{account.pk}/", query).status_code == 405


@pytest.mark.parametrize("path", ["/callbacks/mandrill/", "/callbacks/mandrill/{}/"])
def test_somebody_answers_before_the_key_is_known(path: str, configure: Any) -> None:
    """Mandrill looks with HEAD, and tells its key once it was answered."""
    configure(callbacks=replace(SETTINGS, mandrill_key=""))
    path = path.format(nobody())
    assert Client().head(path).status_code == 200
    assert Client().post(path, {}).status_code in {403, 404}
    assert Client().head(path.replace("mandrill", "nobody")).status_code == 404


def test_a_topic_of_another_account_is_not_this_ones(
    send: Send, amazon: Amazon, drained: Drain
) -> None:
    """Amazon signs for everybody: the topic says whose it is."""
    theirs = signing.TOPIC.replace("ses-events", "umbrella")
    account = make_callbacks("ses", topic_arn=theirs)
    said = {"eventType": "Delivery", "mail": {"messageId": "ses-1"}}
    assert send(at(account, signing.sns(said))) == 403
    assert send(signing.sns(said, TopicArn=theirs)) == 403
    assert amazon.asked == []
    assert send(at(account, signing.sns(said, TopicArn=theirs))) == 200


def test_outcomes_of_an_account_end_a_message_as_the_platforms_do(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification: Notification = sent(session, "pm-1", Outcome.SENT, "postmark")
    account = make_callbacks("postmark", notification.organization)
    bounce = {"RecordType": "Bounce", "Type": "HardBounce", "MessageID": "pm-1", "Details": "550"}
    for _ in range(2):
        assert send(at(account, signing.postmark(bounce))) == 200
    assert results(drained()) == ["applied"]
    assert (status_of(notification), notification.error_message) == (Status.BOUNCED, "550")
    assert AddressReport.objects.get().organization_id == notification.organization_id


def test_every_shape_is_one_that_can_be_verified() -> None:
    assert set(CALLBACK_SHAPES) == set(SIGNERS) == set(dict(SETTINGS.secrets()))
    assert all(registry.is_known(name) for name in CALLBACK_SHAPES)
    assert set(CALLBACK_SHAPES) <= set(CHANNELS)
