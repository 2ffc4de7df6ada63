"""Tenants, their keys, templates and notifications."""

import hashlib
import uuid

from django.db import models


def digest_of(key: str) -> str:
    """SHA-256: keys are random, and need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


class Tenant(models.Model):
    """A customer."""

    tenant_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=255)
    email = models.EmailField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)


class APIKey(models.Model):
    """A key of a tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    key_hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)


class Template(models.Model):
    """A subject and a body with placeholders."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    channel = models.CharField(max_length=20)
    subject = models.CharField(max_length=255, blank=True)
    body = models.TextField()
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name", "channel"), name="template_name"),
        )


class Notification(models.Model):
    """One message to one recipient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    template = models.ForeignKey(Template, on_delete=models.SET_NULL, null=True)
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=255)
    data = models.JSONField(default=dict)
    status = models.CharField(max_length=20, default="pending")
    provider_response = models.JSONField(null=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("tenant", "status")),
            models.Index(fields=("tenant", "created_at")),
            models.Index(fields=("status", "created_at")),
        )
