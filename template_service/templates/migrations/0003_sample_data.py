"""Previews have data to begin with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    breaks_previous_version = "Nothing was released before it."
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
