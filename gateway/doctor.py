"""What the gateway needs beyond its database and Redis, for `manage.py doctor`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from carillon.clients.http import InternalHTTP
from carillon.doctor.findings import Check, Finding, clock, problem, warning, well
from carillon.doctor.rabbitmq_checks import MEND as RABBITMQ_MEND
from carillon.doctor.rabbitmq_checks import check_rabbitmq
from gateway.connections import template_service, user_service
from gateway.organizations.models import Organization
from gateway.outbox.models import OutboxMessage

# Seconds; the relay takes a due row within a tenth of one.
LATE = 60.0
SECONDS = 3.0
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
# Nobody has it: with the right secret the answer is 404, or an empty list, and not 401.
ORGANIZATION = "org_00000000000070008000000000000000"


def checks() -> dict[str, tuple[Check, str]]:
    """By subject, with what to do where one cannot be made."""
    return {
        "rabbitmq": (partial(check_rabbitmq, settings.GATEWAY.rabbitmq_url), RABBITMQ_MEND),
        "user_service": _neighbour(user_service(), "/api/v1/users/"),
        "template_service": _neighbour(template_service(), "/api/v1/templates/"),
        "outbox": (_check_outbox, "See `manage.py doctor`'s findings on the database."),
        "public_url": (_check_public_url, "Set PUBLIC_URL."),
        "organizations": (_check_organizations, "python gateway/manage.py migrate"),
    }


def _neighbour(client: InternalHTTP, path: str) -> tuple[Check, str]:
    name = client.service
    mend = f"Is it running, and is {name.upper()}_URL its address?"
    return partial(_check_neighbour, name, f"{client.base_url}{path}"), mend


def _check_neighbour(name: str, url: str) -> Iterator[Finding]:
    """Raises requests.RequestException where it does not answer."""
    answer = requests.get(
        url,
        headers={
            "X-Internal-Secret": settings.CARILLON.internal_secrets[0],
            "X-Organization-ID": ORGANIZATION,
        },
        timeout=SECONDS,
        allow_redirects=False,
    )
    if answer.status_code == 401:
        yield problem(
            name,
            "it does not accept our INTERNAL_API_SECRET",
            "Give both the same; SECURITY.md says how to change it without a refused call.",
        )
    elif answer.status_code >= 500:
        yield problem(name, f"it answers {answer.status_code}", "Run its own `manage.py doctor`.")
    else:
        yield well(name, "it answers, and accepts our secret")
    if "Date" in answer.headers:
        at = parsedate_to_datetime(answer.headers["Date"])
        yield clock(name, (at - datetime.now(UTC)).total_seconds(), most=4.0)


def _check_outbox() -> Iterator[Finding]:
    now = timezone.now()
    due = OutboxMessage.objects.filter(available_at__lte=now).aggregate(
        count=Count("pk"), oldest=Min("available_at")
    )
    late = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    if late > LATE:
        yield problem(
            "outbox",
            f"{due['count']} messages are due, the oldest for {late:.0f} s",
            "Is `manage.py relay` running, and can it reach RabbitMQ? Its log says.",
        )
    else:
        yield well("outbox", f"{due['count']} messages are due")


def _check_public_url() -> Iterator[Finding]:
    parts = urlsplit(settings.GATEWAY.public_url)
    if parts.hostname in _HERE:
        yield warning(
            "public_url",
            "links in messages lead to this machine, where nobody else gets",
            "Set PUBLIC_URL to where the public reaches the gateway.",
        )
    elif parts.scheme != "https":
        yield warning(
            "public_url",
            "mailbox providers offer to unsubscribe over https alone (RFC 8058)",
            "Put TLS in front of the gateway, and https into PUBLIC_URL.",
        )
    else:
        yield well("public_url", f"links in messages lead to {parts.hostname}")


def _check_organizations() -> Iterator[Finding]:
    count = Organization.objects.filter(is_active=True).count()
    if count:
        yield well("organizations", f"{count} may send")
    else:
        yield warning(
            "organizations",
            "there is none yet",
            'Make the first: python gateway/manage.py create_org "Acme" --plan pro',
        )
