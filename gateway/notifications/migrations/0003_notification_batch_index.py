"""The notifications of a batch are found by an index; intake goes on while it is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0002_notification_batch_id"),
    ]

    operations = [
        # It reads the whole table, for longer than any statement of a request may take.
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("batch_id__isnull", False)),
                fields=["organization", "batch_id"],
                name="notification_batch",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
