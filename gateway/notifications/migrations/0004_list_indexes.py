"""Every filter of the list finds its notifications by an index."""

import django.db.models.fields.json
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import gateway.notifications.models


class Migration(migrations.Migration):
    # The version before compares request_ids for equality alone, which no collation changes here.
    breaks_previous_version = "A column's collation changes, and nobody sorts by it."
    atomic = False

    dependencies = [
        ("notifications", "0003_notification_batch_index"),
    ]

    operations = [
        # They read whole tables, for longer than any statement of a request may take.
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # Rebuilds the index of request_ids; the table is not rewritten. Intake waits for it.
        migrations.AlterField(
            model_name="notification",
            name="request_id",
            field=models.CharField(db_collation="C", max_length=128),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("user_id", ""), _negated=True),
                fields=["organization", "user_id", "-created_at", "-id"],
                name="notification_user",
            ),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("template_code", ""), _negated=True),
                fields=["organization", "template_code", "-created_at", "-id"],
                name="notification_template",
            ),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "delivered"), _negated=True),
                fields=["organization", "status", "-created_at", "-id"],
                name="notification_status",
            ),
        ),
        AddIndexConcurrently(
            model_name="notificationcontent",
            index=models.Index(
                gateway.notifications.models.RecipientDigest(
                    django.db.models.fields.json.KeyTextTransform(
                        "value", django.db.models.fields.json.KeyTransform("0", "addresses")
                    )
                ),
                name="notification_recipient",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
