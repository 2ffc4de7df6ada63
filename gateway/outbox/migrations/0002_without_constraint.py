"""Storing an outbox row no longer looks its notification up; whoever does holds it locked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    breaks_previous_version = "A constraint goes, which no code ever ran into."

    dependencies = [
        ("notifications", "0011_content_without_constraint"),
        ("outbox", "0001_outbox_message"),
    ]

    operations = [
        migrations.AlterField(
            model_name="outboxmessage",
            name="notification",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="outbox_message",
                serialize=False,
                to="notifications.notification",
            ),
        ),
    ]
