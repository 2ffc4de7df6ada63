"""A provider's report finds the attempt that it is about by the provider's id of the message."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("deliveries", "0005_replays_and_reasons"),
    ]

    operations = [
        # It reads the whole table, for longer than any statement of a request may take.
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        AddIndexConcurrently(
            model_name="deliveryattempt",
            index=models.Index(
                condition=models.Q(
                    models.Q(("provider_message_id", ""), _negated=True),
                    models.Q(
                        (
                            "provider__in",
                            ("apns", "console", "fcm", "sandbox", "smtp", "sns", "webpush"),
                        ),
                        _negated=True,
                    ),
                ),
                fields=["provider", "provider_message_id"],
                name="attempt_reported",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
