"""Mistakes that systems of this shape make, where no single module would show them.

docs/delivery-guarantee.md lists them all, with the tests that guard against each.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant
from gateway.tests.doubles import Call, Reply, ServiceDouble
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def outbox_that_refuses(transactional_db: None) -> Iterator[None]:
    """A disk that fills up, or a process that dies, just before the promise is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;"
            " CREATE TRIGGER refuse BEFORE INSERT ON outbox_outboxmessage"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse CASCADE")


@pytest.mark.usefixtures("outbox_that_refuses")
def test_a_notification_without_its_promise_is_not_stored(committed_tenant: Tenant) -> None:
    """What is published after the commit, without an outbox, is lost between the two."""
    answer = committed_tenant.api.send(inline(request_id="r"))
    assert answer.error == (503, "service_unavailable")
    stored = (Notification, NotificationContent, OutboxMessage)
    assert [model.objects.count() for model in stored] == [0, 0, 0]


def test_no_transaction_is_open_while_another_service_is_asked(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is slow would otherwise hold locks and rows that nobody can vacuum."""
    tenant = committed_tenant
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    seen: list[list[str]] = []
    answer = ServiceDouble.answer

    def answer_and_look(double: ServiceDouble, call: Call) -> Reply:
        seen.append(open_transactions())
        return answer(double, call)

    monkeypatch.setattr(ServiceDouble, "answer", answer_and_look)
    body = {
        "notification_type": "email",
        "user_id": user.user_id,
        "template_code": "welcome_email",
        "variables": {"name": "Ada"},
    }
    assert tenant.api.send(body).status == 202
    # The template, the user, and what the organization decided.
    assert seen == [[], [], []]


def open_transactions() -> list[str]:
    """The last statements of the gateway's sessions that are inside a transaction."""
    settings: dict[str, Any] = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname=settings["NAME"],
        application_name="onlooker",
    ) as onlooker:
        found = onlooker.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'gateway' AND xact_start IS NOT NULL"
        )
        return [row[0] for row in found]
