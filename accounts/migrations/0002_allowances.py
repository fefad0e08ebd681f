from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Allowance",
            fields=[
                ("key", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("whole_at", models.BigIntegerField()),
                ("granted", models.BigIntegerField()),
            ],
            options={
                "db_table": "allowances",
            },
        ),
    ]
