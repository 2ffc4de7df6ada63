"""Organizations say on which channels the platform's providers come after their own accounts."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0002_contact_and_rotation"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="platform_stand_ins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("email", "email"),
                        ("sms", "sms"),
                        ("whatsapp", "whatsapp"),
                        ("push", "push"),
                    ],
                    max_length=16,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
    ]
