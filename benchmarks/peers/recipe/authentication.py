"""API keys, found by their digest."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from recipe.models import APIKey, Tenant, digest_of

REMEMBERED = timedelta(minutes=1)


class APIKeyAuthentication(BaseAuthentication):
    """`request.auth` is the key, `request.user` its tenant."""

    def authenticate(self, request: Request) -> tuple[Tenant, APIKey]:
        """Raises AuthenticationFailed."""
        digest = digest_of(request.headers.get("X-API-Key", ""))
        key = APIKey.objects.select_related("tenant").filter(key_hash=digest).first()
        if key is None or not key.is_active or not key.tenant.is_active:
            raise AuthenticationFailed("Invalid API key")
        now = timezone.now()
        # Not with every request: the row would be fought for.
        if key.last_used_at is None or now - key.last_used_at > REMEMBERED:
            APIKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return key.tenant, key
