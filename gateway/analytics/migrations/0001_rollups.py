"""The rollups, the triggers that note every change for them, and the counts of what is there."""

import django.db.models.deletion
from django.db import migrations, models

# Kept as text: a migration does not change with the code. The bounds of the buckets are
# gateway.analytics.latency's, and a test compares them.
FUNCTIONS = """
CREATE FUNCTION analytics_latency(
    status varchar, created_at timestamptz, scheduled_at timestamptz, delivered_at timestamptz
) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status = 'delivered' AND delivered_at IS NOT NULL THEN
        greatest(1, least(299, 1 + ceil(
            ln(greatest(
                extract(epoch FROM delivered_at - greatest(created_at, scheduled_at))::float8,
                0.001::float8
            ) / 0.001::float8) / ln(1.1::float8)
        )))::smallint
    ELSE 0::smallint END
$$;

CREATE FUNCTION analytics_note_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_countchange
        (organization_id, hour, mode, channel, template_code, status, latency, change)
    SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
           status, analytics_latency(status, created_at, scheduled_at, delivered_at), count(*)
    FROM added GROUP BY 1, 2, 3, 4, 5, 6, 7;
    RETURN NULL;
END $$;

CREATE FUNCTION analytics_note_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_countchange
        (organization_id, hour, mode, channel, template_code, status, latency, change)
    SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
           status, analytics_latency(status, created_at, scheduled_at, delivered_at), -count(*)
    FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7;
    RETURN NULL;
END $$;

CREATE FUNCTION analytics_note_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO analytics_countchange
        (organization_id, hour, mode, channel, template_code, status, latency, change)
    SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
           status, analytics_latency(status, created_at, scheduled_at, delivered_at), sum(change)
    FROM (
        SELECT organization_id, created_at, mode, channel, template_code, status, scheduled_at,
               delivered_at, 1 AS change FROM added
        UNION ALL
        SELECT organization_id, created_at, mode, channel, template_code, status, scheduled_at,
               delivered_at, -1 FROM gone
    ) AS moved
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(change) <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER analytics_added AFTER INSERT ON notifications_notification
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_added();
CREATE TRIGGER analytics_changed AFTER UPDATE ON notifications_notification
    REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_changed();
CREATE TRIGGER analytics_gone AFTER DELETE ON notifications_notification
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION analytics_note_gone();
"""
NO_FUNCTIONS = """
DROP TRIGGER analytics_added ON notifications_notification;
DROP TRIGGER analytics_changed ON notifications_notification;
DROP TRIGGER analytics_gone ON notifications_notification;
DROP FUNCTION analytics_note_added;
DROP FUNCTION analytics_note_changed;
DROP FUNCTION analytics_note_gone;
DROP FUNCTION analytics_latency;
"""
# The triggers hold writers off until this is done: nothing moves between the two.
COUNT_WHAT_IS_THERE = """
SET LOCAL statement_timeout = 0;
INSERT INTO analytics_hourlycount
    (organization_id, hour, mode, channel, template_code, status, latency, count)
SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
       status, analytics_latency(status, created_at, scheduled_at, delivered_at), count(*)
FROM notifications_notification GROUP BY 1, 2, 3, 4, 5, 6, 7;
"""
# Every row is deleted soon after it came, as in the outbox.
VACUUM_OFTEN = """
ALTER TABLE analytics_countchange SET (
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
)
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("notifications", "0001_notification"),
        ("organizations", "0001_organization_and_api_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("mode", models.CharField(max_length=4)),
                ("channel", models.CharField(max_length=16)),
                ("template_code", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=12)),
                ("latency", models.SmallIntegerField()),
                ("change", models.BigIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HourlyCount",
            fields=[
                ("hour", models.DateTimeField()),
                ("mode", models.CharField(max_length=4)),
                ("channel", models.CharField(max_length=16)),
                ("template_code", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=12)),
                ("latency", models.SmallIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "hour",
                        "mode",
                        "channel",
                        "template_code",
                        "status",
                        "latency",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("count", models.BigIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("count", 0)),
                        fields=["organization"],
                        name="hourly_count_empty",
                    )
                ],
            },
        ),
        migrations.RunSQL(VACUUM_OFTEN, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(COUNT_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
