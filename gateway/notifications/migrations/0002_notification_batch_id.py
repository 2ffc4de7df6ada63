"""Notifications know the bulk request that they are of."""

from django.db import migrations

import carillon.web.fields


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_notification"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="batch_id",
            field=carillon.web.fields.PrefixedIDField("batch", null=True),
        ),
    ]
