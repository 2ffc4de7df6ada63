"""Previews have data to begin with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0002_prepared_content"),
    ]

    operations = [
        migrations.AddField(
            model_name="template",
            name="sample_data",
            field=models.JSONField(default=dict),
        ),
    ]
