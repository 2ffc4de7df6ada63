"""The organization as an internal service knows it; the gateway owns the original."""

from django.db import models

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField


class Organization(models.Model):
    """A tenant. Its id is the gateway's; nothing else of it is needed here."""

    id = PrefixedIDField(ids.ORGANIZATION, primary_key=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        """The name."""
        return self.name
