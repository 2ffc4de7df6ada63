"""Storing a content no longer looks its notification up: one statement writes both."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    breaks_previous_version = "A constraint goes, which no code ever ran into."

    dependencies = [
        ("notifications", "0010_content_fallback"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notificationcontent",
            name="notification",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="content",
                serialize=False,
                to="notifications.notification",
            ),
        ),
    ]
