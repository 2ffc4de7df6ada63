"""What is sent of a version is kept beside what its author wrote."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0001_template_and_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="templateversion",
            name="prepared",
            field=models.JSONField(null=True),
        ),
    ]
