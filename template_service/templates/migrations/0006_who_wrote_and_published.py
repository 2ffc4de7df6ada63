"""Versions say who wrote them and who published them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates", "0005_mjml"),
    ]

    operations = [
        migrations.AddField(
            model_name="templateversion",
            name=name,
            field=models.CharField(blank=True, db_default="", default="", max_length=length),
        )
        for name, length in (
            ("created_by", 64),
            ("created_by_name", 100),
            ("published_by", 64),
            ("published_by_name", 100),
        )
    ]
