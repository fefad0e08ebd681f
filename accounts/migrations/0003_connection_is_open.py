from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_allowances"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="is_open",
            field=models.BooleanField(db_default=True),
        ),
    ]
