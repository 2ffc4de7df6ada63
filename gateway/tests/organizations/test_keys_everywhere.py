"""A key that ended is refused by every call, on its very next request."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.organizations.models import APIKey
from gateway.organizations.services import deactivate_api_key, save_api_key
from gateway.tests.conftest import Tenant
from gateway.tests.test_isolation import routes
from gateway.tests.test_openapi import KEYLESS

pytestmark = [pytest.mark.integration]


@pytest.mark.parametrize("how", ["deactivated", "expired", "rotated"])
def test_every_route_refuses_a_key_that_ended(committed_tenant: Tenant, how: str) -> None:
    tenant = committed_tenant
    # It worked, and is cached.
    assert tenant.api.get("/api/v1/organizations/me/").status == 200
    key = APIKey.objects.get(prefix=tenant.api.key[:19])
    if how == "deactivated":
        deactivate_api_key(key)
    elif how == "expired":
        key.expires_at = datetime.now(UTC) - timedelta(seconds=1)
        save_api_key(key)
    else:
        path = f"/api/v1/api-keys/{key.pk}/rotate/"
        assert tenant.api.post(path, {"overlap_seconds": 0}).status == 201
    walked = 0
    for method, path in routes():
        if f"{method} {path}" in KEYLESS:
            continue
        body: object = {} if method in {"POST", "PUT", "PATCH"} else None
        answer = tenant.api.call(method, path.replace("{", "").replace("}", ""), body)
        assert answer.error == (401, "invalid_api_key"), (method, path)
        assert "RateLimit" not in answer.headers, (method, path)
        walked += 1
    assert walked >= 40
