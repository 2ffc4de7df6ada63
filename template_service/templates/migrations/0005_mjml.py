"""The HTML of an email may be written in MJML."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0004_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="templateversion",
            name="mjml",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
