"""Keeps the internal services' copies of an organization in step with the gateway's original."""

from collections.abc import Iterable
from dataclasses import dataclass

import requests

from carillon.clients.http import InternalHTTP, ServiceDown
from carillon.clients.organizations import sync_organization
from gateway.connections import template_service, user_service

USER_SERVICE = "user_service"
TEMPLATE_SERVICE = "template_service"
ALL_SERVICES = (USER_SERVICE, TEMPLATE_SERVICE)


@dataclass(frozen=True, slots=True)
class OrganizationCopy:
    """What the services know of an organization."""

    organization_id: str
    name: str
    is_active: bool = True


def unreachable(services: Iterable[str]) -> list[str]:
    """Those of `services` that do not answer their readiness check."""
    found = []
    for name in services:
        try:
            _client(name).check()
        except requests.RequestException:
            found.append(name)
    return found


def tell_services(copy: OrganizationCopy, services: Iterable[str] = ALL_SERVICES) -> list[str]:
    """Tell each of `services`; safe to repeat. Returns those that could not be told."""
    failed = []
    for name in services:
        try:
            sync_organization(
                _client(name),
                organization_id=copy.organization_id,
                name=copy.name,
                is_active=copy.is_active,
            )
        except ServiceDown:
            failed.append(name)
    return failed


def address_of(service: str) -> str:
    """The base URL of a service, for messages."""
    return _client(service).base_url


def _client(service: str) -> InternalHTTP:
    return user_service() if service == USER_SERVICE else template_service()
