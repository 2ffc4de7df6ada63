"""Bulk requests as clients write them."""

from typing import Any

from gateway.tests.calls import Answer
from gateway.tests.conftest import Tenant

BULK = "/api/v1/notifications/bulk/"
BATCHES = "/api/v1/batches/"


def inline(*recipients: object, **fields: object) -> dict[str, Any]:
    """A body that needs no template."""
    return {
        "notification_type": "email",
        "content": {"subject": "Hello", "body": "Hello, all"},
        "recipients": list(recipients),
        **fields,
    }


def templated(*recipients: object, **fields: object) -> dict[str, Any]:
    """A body for the template `welcome_email`, which needs `name`."""
    return {
        "notification_type": "email",
        "template_code": "welcome_email",
        "recipients": list(recipients),
        **fields,
    }


def to(*names: object) -> list[dict[str, str]]:
    """Recipients without a user."""
    return [{"to": f"{name}@example.com"} for name in names]


def send(tenant: Tenant, body: object, **headers: str) -> Answer:
    """Ask for many notifications."""
    return tenant.api.post(BULK, body, **headers)


def accepted(tenant: Tenant, body: object) -> dict[str, Any]:
    """The data of a bulk request of which something is accepted."""
    answer = send(tenant, body)
    assert answer.status == 202, answer.body
    data: dict[str, Any] = answer.data
    return data


def refusals(data: dict[str, Any]) -> dict[int, str]:
    """The error codes by index."""
    return {refusal["index"]: refusal["error"] for refusal in data["refusals"]}
