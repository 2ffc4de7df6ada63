"""What the gateway talks to: one client of each per process, made when first used."""

from functools import cache

import redis
from django.conf import settings

from carillon.clients.http import InternalHTTP
from carillon.clients.records import (
    RecordLookup,
    SuppressionLookup,
    policy_lookup,
    suppression_lookup,
    template_lookup,
    user_lookup,
)
from carillon.contracts.records import PolicyRecord, TemplateRecord, UserRecord
from carillon.redis_client import connect
from carillon.unsubscribe_links import LinkSigner
from gateway.provider_accounts.sealing import CredentialSealer


@cache
def redis_client() -> redis.Redis:
    """Redis: caches, limits, quota."""
    return connect(settings.CARILLON.redis_url)


@cache
def user_service() -> InternalHTTP:
    """The user service, with its own connections and circuit breaker."""
    return InternalHTTP(
        "user_service", settings.GATEWAY.user_service_url, settings.CARILLON.internal_secrets[0]
    )


@cache
def template_service() -> InternalHTTP:
    """The template service, with its own connections and circuit breaker."""
    return InternalHTTP(
        "template_service",
        settings.GATEWAY.template_service_url,
        settings.CARILLON.internal_secrets[0],
    )


@cache
def users() -> RecordLookup[UserRecord]:
    """Users by id or external id."""
    return user_lookup(user_service(), redis_client())


@cache
def templates() -> RecordLookup[TemplateRecord]:
    """Templates by code."""
    return template_lookup(template_service(), redis_client())


@cache
def link_signer() -> LinkSigner:
    """Signs unsubscribe links, and reads them."""
    return LinkSigner(settings.GATEWAY.link_secrets)


@cache
def credential_sealer() -> CredentialSealer:
    """Seals and opens the credentials of provider accounts."""
    return CredentialSealer(settings.GATEWAY.credentials_keys)


@cache
def policies() -> RecordLookup[PolicyRecord]:
    """What organizations decided for all of their users."""
    return policy_lookup(user_service(), redis_client())


@cache
def suppressions() -> SuppressionLookup:
    """Addresses to which nothing is sent."""
    return suppression_lookup(user_service(), redis_client())
