"""Those that wait for a receipt are found by an index of theirs alone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0007_receipts"),
    ]

    operations = [
        # It reads the whole table, for longer than any statement of a request may take.
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("receipt_due_at__isnull", False)),
                fields=["receipt_due_at"],
                name="notification_receipt_due",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
