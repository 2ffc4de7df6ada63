"""The reconciler finds what is stuck by an index of what is in flight, small at all times."""

from django.db import migrations


class Migration(migrations.Migration):
    breaks_previous_version = "Nothing was released before it."
    dependencies = [("deliveries", "0001_attempt_and_dead_letter")]

    operations = [
        migrations.RunSQL(
            """
            CREATE INDEX notification_in_flight ON notifications_notification (updated_at)
            WHERE status IN ('queued', 'processing')
            """,
            "DROP INDEX notification_in_flight",
        ),
    ]
