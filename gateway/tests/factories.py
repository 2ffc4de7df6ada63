"""One factory per noun: a valid object, of which a test names only what it is about."""

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Model

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import (
    Address,
    Content,
    DeliveryEvent,
    DeliveryPolicy,
    EmailContent,
    Mode,
    Outcome,
)
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.batches.models import Batch
from gateway.connections import credential_sealer
from gateway.deliveries.models import DeadLetter
from gateway.notifications.models import Notification, NotificationContent
from gateway.organizations.models import Organization, PlanName
from gateway.outbox.models import OutboxMessage
from gateway.outbox.ordering import outbox_priority
from gateway.provider_accounts.models import ProviderAccount

ADDRESSES = (Address("someone@example.com"),)
CONTENT = EmailContent(subject="Welcome", body="Hello, Ada", html="<p>Hello, Ada</p>")


def make_organization(name: str = "Acme", **fields: Any) -> Organization:
    return Organization.objects.create(name=name, **{"plan": PlanName.PRO, **fields})


def make_notification(
    organization: Organization | None = None,
    *,
    addresses: tuple[Address, ...] = ADDRESSES,
    content: Content = CONTENT,
    traceparent: str = "",
    **fields: Any,
) -> Notification:
    """An accepted email, with its content; without an outbox row."""
    now = datetime.now(UTC)
    notification = Notification.objects.create(
        organization=organization or make_organization(),
        **{
            "request_id": ids.new_id("req"),
            "request_digest": bytes(32),
            "correlation_id": "corr_test",
            "channel": "email",
            "mode": Mode.LIVE,
            "status": Status.ACCEPTED,
            "lane": Lane.NORMAL,
            "priority": 5,
            "delivery": DeliveryPolicy.AT_LEAST_ONCE,
            "created_at": now,
            "updated_at": now,
            **fields,
        },
    )
    NotificationContent.objects.create(
        notification=notification,
        addresses=msgspec.to_builtins(addresses),
        recipient_name="Ada",
        content=msgspec.to_builtins(content),
        traceparent=traceparent,
    )
    return notification


def make_copies(original: Notification, count: int) -> list[Notification]:
    """`count` notifications like `original`, each with its content, in two statements."""
    made = []
    for _ in range(count):
        one = copy(original)
        one.pk, one.request_id = ids.new_id(ids.NOTIFICATION), ids.new_id("req")
        made.append(one)
    own = [ids.parse_id(ids.NOTIFICATION, one.pk) for one in made]
    _insert_like(Notification, original, id=own, request_id=[one.request_id for one in made])
    _insert_like(NotificationContent, original, notification_id=own)
    return made


def _insert_like(model: type[Model], original: Notification, **own: list[Any]) -> None:
    """Rows like that of `original`, each with values of its own in these columns, first its key.

    Ten thousand by Django take seconds.
    """
    table = model._meta.db_table
    columns = [field.column for field in model._meta.concrete_fields]
    values = [f"{'made' if each in own else 'original'}.{each}" for each in columns]
    lists = ["%s::text[]" if name == "request_id" else "%s::uuid[]" for name in own]
    key, *_ = own
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"  # noqa: S608
            f" FROM {table} AS original, unnest({', '.join(lists)}) AS made ({', '.join(own)})"
            f" WHERE original.{key} = %s",
            [*own.values(), ids.parse_id(ids.NOTIFICATION, original.pk)],
        )


def make_batch(organization: Organization | None = None, **fields: Any) -> Batch:
    """A bulk request; its notifications are made with its id as their `batch_id`."""
    return Batch.objects.create(
        organization=organization or make_organization(),
        **{
            "request_id": ids.new_id("req"),
            "correlation_id": "corr_test",
            "channel": "email",
            "mode": Mode.LIVE,
            "priority": 5,
            "created_at": datetime.now(UTC),
            **fields,
        },
    )


def make_outbox_message(
    notification: Notification | None = None, *, due_in: float = -1.0, **fields: Any
) -> OutboxMessage:
    """A row that became due a second ago; `due_in` is in seconds."""
    notification = notification or make_notification()
    return OutboxMessage.objects.create(
        notification=notification,
        **{
            "attempt": notification.attempt,
            "priority": outbox_priority(Lane(notification.lane), notification.priority),
            "available_at": datetime.now(UTC) + timedelta(seconds=due_in),
            **fields,
        },
    )


def make_dead_letter(
    organization: Organization | None = None,
    *,
    reason: Reason = Reason.ATTEMPTS_EXHAUSTED,
    letter: dict[str, Any] | None = None,
    **fields: Any,
) -> DeadLetter:
    """A notification that failed after five attempts, and its dead letter with fields `letter`."""
    notification = make_notification(
        organization,
        **{
            "status": Status.FAILED,
            "reason": reason,
            "error_message": "451 try later",
            "attempt": 5,
            "queued_at": datetime.now(UTC),
            **fields,
        },
    )
    return DeadLetter.objects.create(
        notification=notification,
        **{
            "organization_id": notification.organization_id,
            "reason": reason,
            "error_message": notification.error_message,
            "attempts": notification.attempt,
            "created_at": notification.created_at,
            **(letter or {}),
        },
    )


def make_provider_account(
    organization: Organization | None = None,
    *,
    credentials: dict[str, str] | None = None,
    **fields: Any,
) -> ProviderAccount:
    """An active account with SendGrid."""
    account = ProviderAccount(
        organization=organization or make_organization(),
        **{
            "channel": "email",
            "provider": "sendgrid",
            "name": "Ours",
            "sender": "Acme <hello@acme.example>",
            **fields,
        },
    )
    account.sealed = credential_sealer().seal(
        account.pk,
        account.organization_id,
        {"api_key": "SG.a-key-of-acme-that-is-long"} if credentials is None else credentials,
    )
    account.save()
    return account


def make_event(
    notification: Notification, outcome: Outcome = Outcome.DELIVERED, **fields: Any
) -> DeliveryEvent:
    """The event of the notification's current attempt, as its worker would publish it."""
    now = datetime.now(UTC)
    return DeliveryEvent(
        **{
            "event_id": ids.new_id("event"),
            "notification_id": notification.pk,
            "attempt": notification.attempt,
            "organization_id": notification.organization_id,
            "correlation_id": notification.correlation_id,
            "channel": notification.channel,
            "outcome": outcome,
            "provider": "smtp",
            "started_at": now - timedelta(milliseconds=20),
            "occurred_at": now,
            "duration_ms": 20.0,
            **fields,
        }
    )
