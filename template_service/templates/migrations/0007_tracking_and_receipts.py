"""A template says whether its emails are tracked, and how long a receipt is waited for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0006_who_wrote_and_published"),
    ]

    operations = [
        migrations.AddField(
            model_name="template",
            name="track_opens",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="template",
            name="track_clicks",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="template",
            name="expect_receipt_within",
            field=models.IntegerField(db_default=0, default=0),
        ),
    ]
