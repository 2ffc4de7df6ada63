"""Storing an attempt no longer looks its notification up; whoever does holds it locked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    breaks_previous_version = "A constraint goes, which no code ever ran into."

    dependencies = [
        ("deliveries", "0006_attempt_reported"),
        ("notifications", "0011_content_without_constraint"),
    ]

    operations = [
        migrations.AlterField(
            model_name="deliveryattempt",
            name="notification",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="notifications.notification",
            ),
        ),
    ]
