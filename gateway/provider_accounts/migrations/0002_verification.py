"""What the last check of an account's credentials showed: null, or a default of the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("provider_accounts", "0001_provider_account"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="verification_checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=50),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_message",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_requested_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="verification_status",
            field=models.CharField(db_default="unverified", default="unverified", max_length=20),
        ),
    ]
