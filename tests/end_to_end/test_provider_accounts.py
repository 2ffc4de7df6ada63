"""An organization's mail leaves through the server that it brought, and nobody else's does."""

import pytest

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

ACCOUNTS = "/api/v1/provider-accounts/"


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
        account = {
            "channel": "email",
            "provider": "smtp",
            "name": "Ours",
            "sender": "Acme <hello@acme.example>",
            "credentials": {"url": f"smtp://127.0.0.1:{own.port}"},
        }
        made = tenant.call("POST", ACCOUNTS, account)
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
    to, notification_id = mail_to(tenant, "later")
    eventually(
        lambda: tenant.status(notification_id), lambda seen: bool(seen["status"] == "retrying")
    )
    assert mailbox.mails_to(to) == []
    assert f"127.0.0.1:{own.port}" not in stack.logs()
