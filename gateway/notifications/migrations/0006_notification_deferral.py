from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_content_settled"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="deferral",
            field=models.CharField(blank=True, db_default="", max_length=32),
        ),
    ]
