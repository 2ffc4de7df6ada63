"""An object of each kind that a path can name, for one organization: none is left out.

A new kind of path parameter needs a maker here, or the walks over all routes fail.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import requests

from tests.end_to_end.stack import Tenant, eventually

CANARY = "canary-of-the-owner"
TEMPLATE = "greeting"
CATEGORY = "newsletter"
EXTERNAL_ID = "customer-4711"

Made = Mapping[str, str]


def make_objects(tenant: Tenant) -> dict[str, str]:
    """A value for each kind, all of them `tenant`'s; what ends has ended."""
    made: dict[str, str] = {}
    for kind, make in MAKERS.items():
        made[kind] = make(tenant, made)
    return made


def data_of(answer: requests.Response) -> Any:
    """The data of a success."""
    assert answer.status_code < 300, answer.text
    return answer.json()["data"]


def _user(tenant: Tenant, made: Made) -> str:
    return tenant.make_user(
        name=CANARY,
        external_id=EXTERNAL_ID,
        email=f"{CANARY}@example.com",
        attributes={"secret": CANARY},
    )


def _device(tenant: Tenant, made: Made) -> str:
    body = {"platform": "fcm", "token": f"{CANARY}-token"}
    path = f"/api/v1/users/{made['users/identifier']}/devices/"
    return str(data_of(tenant.call("POST", path, body))["device_id"])


def _template(tenant: Tenant, made: Made) -> str:
    tenant.make_template(TEMPLATE, content=f"{CANARY} {{{{ name }}}}")
    draft = {"content": f"{CANARY} again {{{{ name }}}}"}
    data_of(tenant.call("PATCH", f"/api/v1/templates/{TEMPLATE}/", draft))
    return TEMPLATE


def _category(tenant: Tenant, made: Made) -> str:
    body = {"code": CATEGORY, "name": CANARY}
    return str(data_of(tenant.call("POST", "/api/v1/categories/", body))["code"])


def _suppression(tenant: Tenant, made: Made) -> str:
    body = {"channel": "email", "address": f"{CANARY}-x@example.com", "reason": "manual"}
    return str(data_of(tenant.call("POST", "/api/v1/suppressions/", body))["suppression_id"])


def _notification(tenant: Tenant, made: Made) -> str:
    sent = tenant.accepted(
        "email", made["users/identifier"], TEMPLATE, request_id=CANARY, metadata={"secret": CANARY}
    )
    tenant.ended(sent)
    return sent


def _dead_letter(tenant: Tenant, made: Made) -> str:
    body = {
        "notification_type": "email",
        "to": "perm-fail@simulator.carillon.test",
        "content": {"subject": CANARY, "body": CANARY},
    }
    failed = data_of(tenant.call("POST", "/api/v1/notifications/", body, key=tenant.test_key))
    letters = eventually(
        lambda: data_of(tenant.call("GET", "/api/v1/dead-letters/")), lambda found: bool(found)
    )
    assert letters[0]["notification_id"] == failed["notification_id"]
    return str(letters[0]["dead_letter_id"])


def _batch(tenant: Tenant, made: Made) -> str:
    body = {
        "notification_type": "email",
        "recipients": [{"user_id": made["users/identifier"], "variables": {"name": CANARY}}],
        "template_code": TEMPLATE,
        "request_id": CANARY,
    }
    accepted = data_of(tenant.call("POST", "/api/v1/notifications/bulk/", body))
    path = f"/api/v1/batches/{accepted['batch_id']}/"
    eventually(lambda: data_of(tenant.call("GET", path)), lambda seen: bool(seen["finished_at"]))
    return str(accepted["batch_id"])


def _key(tenant: Tenant, made: Made) -> str:
    body = {"name": CANARY, "scopes": ["read"]}
    return str(data_of(tenant.call("POST", "/api/v1/api-keys/", body))["key_id"])


def _provider_account(tenant: Tenant, _made: Made) -> str:
    body = {
        "channel": "push",
        "provider": "webpush",
        "name": CANARY,
        "sender": "mailto:admin@acme.example",
        "credentials": {"private_key": "A" * 43},
        "is_active": False,
    }
    made = tenant.call("POST", "/api/v1/provider-accounts/", body)
    return str(data_of(made)["provider_account_id"])


# In this order: later ones need earlier ones.
MAKERS: dict[str, Callable[[Tenant, Made], str]] = {
    "users/identifier": _user,
    "devices/device_id": _device,
    "templates/code": _template,
    "categories/code": _category,
    "suppressions/suppression_id": _suppression,
    "notifications/notification_id": _notification,
    "dead-letters/dead_letter_id": _dead_letter,
    "batches/batch_id": _batch,
    "api-keys/key_id": _key,
    "provider-accounts/provider_account_id": _provider_account,
}


def shown(answer: requests.Response) -> str:
    """An answer as text that canaries can be looked for in."""
    return json.dumps(answer.json()) if answer.content else ""
