"""`python -m recipe COMMAND`: what manage.py usually is, and `seed`."""

import json
import os
import secrets
import sys

import django
from django.core.management import execute_from_command_line


def seed(wanted: str) -> None:
    """Make a tenant with a key and a template, and print the key."""
    django.setup()
    from recipe.models import APIKey, Template, Tenant, digest_of

    tenant = Tenant.objects.create(name="Example", email="owner@example.com")
    Template.objects.create(tenant=tenant, channel="email", **json.loads(wanted))
    key = f"sk_live_{secrets.token_urlsafe(32)}"
    APIKey.objects.create(tenant=tenant, key_hash=digest_of(key), name="benchmark")
    print(key)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recipe.settings")
    if sys.argv[1:2] == ["seed"]:
        seed(sys.argv[2])
    else:
        execute_from_command_line(sys.argv)
