"""Published versions say which layouts and partials are in them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0003_sample_data"),
    ]

    operations = [
        migrations.AddField(
            model_name="templateversion",
            name="copy_of",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="parts",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
