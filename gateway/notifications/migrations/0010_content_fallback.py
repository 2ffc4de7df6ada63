"""What is kept with a notification for the case that it does not arrive."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0009_deleted_count"),
    ]

    operations = [
        migrations.AddField(
            model_name="notificationcontent",
            name="fallback",
            field=models.JSONField(null=True),
        ),
    ]
