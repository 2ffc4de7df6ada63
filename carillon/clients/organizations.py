"""Tells an internal service of an organization."""

import msgspec

from carillon.clients.http import InternalHTTP, ServiceDown


def sync_organization(
    http: InternalHTTP, *, organization_id: str, name: str, is_active: bool
) -> None:
    """`POST /internal/organizations/`; safe to repeat. Raises ServiceDown."""
    body = {"organization_id": organization_id, "name": name, "is_active": is_active}
    answer = http.call("POST", "/internal/organizations/", body=msgspec.json.encode(body))
    if answer.status not in {200, 201}:
        raise ServiceDown(http.service)
