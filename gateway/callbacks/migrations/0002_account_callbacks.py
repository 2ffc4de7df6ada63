import django.db.models.deletion
from django.db import migrations, models

import carillon.web.fields


class Migration(migrations.Migration):
    dependencies = [
        ("callbacks", "0001_callback_event_and_engagement"),
        ("provider_accounts", "0001_provider_account"),
    ]

    operations = [
        migrations.AddField(
            model_name="callbackevent",
            name="organization_id",
            field=carillon.web.fields.PrefixedIDField("org", null=True),
        ),
        migrations.CreateModel(
            name="AccountCallbacks",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="callbacks",
                        serialize=False,
                        to="provider_accounts.provideraccount",
                    ),
                ),
                ("sealed", models.BinaryField()),
                ("receipts", models.BooleanField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
    ]
