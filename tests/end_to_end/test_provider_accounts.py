"""An organization's mail leaves through the server that it brought, and nobody else's does."""

import base64
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

ACCOUNTS = "/api/v1/provider-accounts/"


PASSWORD = "canary-5e1e93cad6fc054d8e7"


def smtp_account(port: int, **fields: Any) -> dict[str, Any]:
    """A mail server on this machine."""
    return {
        "channel": "email",
        "provider": "smtp",
        "name": "Ours",
        "sender": "Acme <hello@acme.example>",
        "credentials": {"url": f"smtp://127.0.0.1:{port}"},
        **fields,
    }


@contextmanager
def nobody_at(port: int = 0) -> Iterator[int]:
    """A port, any or this one, that refuses connections: bound, so that nobody else takes it."""
    with socket.socket() as held:
        # Connections that ended a moment ago still count as its users.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        yield held.getsockname()[1]


def vapid_key() -> str:
    """A new one: any number below the curve's order will do."""
    return base64.urlsafe_b64encode(b"\1" + secrets.token_bytes(31)).decode().rstrip("=")


def verified(tenant: Tenant, account: dict[str, Any]) -> dict[str, Any]:
    """Add the account and have it verified: what is shown of it afterwards."""
    made = tenant.call("POST", ACCOUNTS, account)
    assert made.status_code == 201, made.text
    path = f"{ACCOUNTS}{made.json()['data']['provider_account_id']}/"
    asked = tenant.call("POST", f"{path}verify/")
    assert asked.status_code == 202, asked.text
    assert asked.json()["data"]["verification"]["status"] == "pending"
    assert asked.headers["Location"] == path
    shown: dict[str, Any] = eventually(
        lambda: tenant.call("GET", path, None).json()["data"]["verification"],
        lambda seen: bool(seen["status"] != "pending"),
    )
    return shown


def test_an_account_is_verified_by_the_worker_of_its_channel(stack: Stack, tenant: Tenant) -> None:
    with SMTPSink() as own:
        shown = verified(tenant, smtp_account(own.port, is_active=False))
        assert (shown["status"], shown["reason"]) == ("verified", None)
        assert shown["checked_at"] >= shown["requested_at"]
        assert own.mails_to("@") == []
        # A server that offers no encryption, where the account asks for it.
        url = f"smtp://ann:{PASSWORD}@127.0.0.1:{own.port}?starttls=true"
        shown = verified(tenant, smtp_account(own.port, credentials={"url": url}))
        assert (shown["status"], shown["reason"]) == ("failed", "configuration")
    with nobody_at() as port:
        shown = verified(tenant, smtp_account(port))
    assert (shown["status"], shown["reason"]) == ("failed", "provider_unavailable")
    # The workers of the other channels answer too, and not for each other.
    web_push = {
        "channel": "push",
        "provider": "webpush",
        "name": "Browsers",
        "sender": "mailto:admin@acme.example",
        "credentials": {"private_key": vapid_key()},
    }
    assert verified(tenant, web_push)["status"] == "verified"
    msg91 = {
        "channel": "sms",
        "provider": "msg91",
        "name": "MSG91",
        "credentials": {"auth_key": PASSWORD, "template_id": "5e1e93cad6fc054d8e759a5b"},
    }
    assert verified(tenant, msg91)["status"] == "unverifiable"
    assert PASSWORD not in stack.logs()


def mail_to(tenant: Tenant, name: str) -> tuple[str, str]:
    """Send one; the address and the notification's id."""
    to = f"{name}.{tenant.organization_id[-12:]}@example.com"
    body = {
        "notification_type": "email",
        "to": to,
        "content": {"subject": "Hello", "body": "Hello"},
    }
    answer = tenant.call("POST", "/api/v1/notifications/", body)
    assert answer.status_code == 202, answer.text
    return to, str(answer.json()["data"]["notification_id"])


def test_mail_leaves_through_the_organizations_own_server(
    stack: Stack, tenant: Tenant, mailbox: SMTPSink
) -> None:
    other = stack.new_tenant()
    with SMTPSink() as own:
        made = tenant.call("POST", ACCOUNTS, smtp_account(own.port))
        assert made.status_code == 201, made.text
        to, notification_id = mail_to(tenant, "customer")
        (mail,) = own.wait_for(to)
        assert mail["From"] == "Acme <hello@acme.example>"
        ended = tenant.ended(notification_id)
        assert ended["status"] == "delivered"

        theirs, their_id = mail_to(other, "stranger")
        (mail,) = mailbox.wait_for(theirs)
        assert mail["From"] != "Acme <hello@acme.example>"
        other.ended(their_id)
        assert mailbox.mails_to(to) == []
        assert own.mails_to(theirs) == []

    # Their server is gone now: the message waits, and the platform's does not take it.
    with nobody_at(own.port):
        to, notification_id = mail_to(tenant, "later")
        eventually(
            lambda: tenant.status(notification_id), lambda seen: bool(seen["status"] == "retrying")
        )
    assert mailbox.mails_to(to) == []
    assert f"127.0.0.1:{own.port}" not in stack.logs()


def test_the_platform_stands_in_where_the_organization_wants_that(
    tenant: Tenant, mailbox: SMTPSink
) -> None:
    chosen = tenant.call("PATCH", "/api/v1/organizations/me/", {"platform_stand_ins": ["email"]})
    assert chosen.status_code == 200, chosen.text
    with nobody_at() as port:
        made = tenant.call("POST", ACCOUNTS, smtp_account(port))
        assert made.status_code == 201, made.text
        to, notification_id = mail_to(tenant, "stand-in")
        (mail,) = mailbox.wait_for(to)
        assert mail["From"] != "Acme <hello@acme.example>"
        assert tenant.ended(notification_id)["status"] == "delivered"
