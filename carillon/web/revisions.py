"""Revisions: numbers that grow with every change of a record, across rows and re-creations.

Taken while the row is locked by its own UPDATE or INSERT, so of two changes to one record the
later commit has the higher revision. `carillon.record_cache` orders its writes by them.
"""

from django.db import connection, models
from django.db.models import Func

SEQUENCE = "record_revision"


class NextRevision(Func):
    """`nextval` of the service's revision sequence (made by the tenants app's migration)."""

    template = f"nextval('{SEQUENCE}')"
    output_field = models.BigIntegerField()

    def __init__(self) -> None:
        super().__init__()


def next_revision() -> int:
    """One revision now; for a caller that holds the row's lock, in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [SEQUENCE])
        return int(cursor.fetchone()[0])
