"""A template names its fallback, how its push is delivered, and WhatsApp's template."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0007_tracking_and_receipts"),
    ]

    operations = [
        migrations.AddField(
            model_name="template",
            name="fallback",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="template",
            name="push",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="provider_template",
            field=models.JSONField(null=True),
        ),
    ]
