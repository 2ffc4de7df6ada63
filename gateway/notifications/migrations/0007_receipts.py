"""Which notifications wait for a receipt, and until when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_notification_deferral"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="expect_receipt_within",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="notification",
            name="receipt_due_at",
            field=models.DateTimeField(null=True),
        ),
    ]
