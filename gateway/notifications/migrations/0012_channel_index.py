"""The notifications of a channel are found by an index, however few there are."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0011_content_without_constraint"),
    ]

    operations = [
        # It reads the whole table, for longer than any statement of a request may take.
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                fields=["organization", "channel", "-created_at", "-id"],
                name="notification_channel",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
