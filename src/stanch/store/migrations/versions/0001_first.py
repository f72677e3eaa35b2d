"""First."""

import sqlalchemy as sa
from alembic import op

from stanch.store import types

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "agent_kept",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("same", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "key", name=op.f("pk_agent_kept")),
    )
    op.create_table(
        "agent_spending",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("minute", types.Instant(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.Column("executions", sa.Integer(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "minute", name=op.f("pk_agent_spending")),
    )
    op.create_table(
        "agents",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("made_via", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("ended_via", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=True),
        sa.Column("writes", sa.Integer(), nullable=True),
        sa.Column("executions", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_agents")),
    )
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agents_name"), ["name"], unique=False)

    op.create_table(
        "alert_board",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ref", types.Serial, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_board")),
    )
    with op.batch_alter_table("alert_board", schema=None) as batch_op:
        batch_op.create_index(
            "ix_alert_board_firing",
            ["starts_at", "id", "severity"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_alert_board_firing_service",
            ["service", "starts_at", "id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("ix_alert_board_name", ["name", "starts_at", "id"], unique=False)
        batch_op.create_index("ix_alert_board_service", ["service", "starts_at", "id"], unique=False)
        batch_op.create_index("ix_alert_board_source", ["source", "starts_at", "id"], unique=False)
        batch_op.create_index("ix_alert_board_starts_at", ["starts_at", "id"], unique=False)

    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("labels", types.Document, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("measured", types.Document, nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("starts_low", types.Instant(), nullable=False),
        sa.Column("starts_high", types.Instant(), nullable=False),
        sa.Column("detected_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("trend", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("failed_requests", types.Serial, nullable=False),
        sa.Column("total_requests", types.Serial, nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("quiet", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_fingerprint_detected_at", ["fingerprint", "detected_at"], unique=False)
        batch_op.create_index("ix_alerts_service_ended_at", ["service", "ended_at"], unique=False)
        batch_op.create_index("ix_alerts_status_service", ["status", "service"], unique=False)

    op.create_table(
        "automatic_runs",
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("began_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "plan", name=op.f("pk_automatic_runs")),
    )
    with op.batch_alter_table("automatic_runs", schema=None) as batch_op:
        batch_op.create_index("ix_automatic_runs_began_at", ["began_at"], unique=False)

    op.create_table(
        "automatic_switches",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("paused", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automatic_switches")),
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("record", types.Document, nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index("ix_changes_at", ["at"], unique=False)
        batch_op.create_index("ix_changes_service_at", ["service", "at"], unique=False)

    op.create_table(
        "chat_asks",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("asked", types.Document, nullable=True),
        sa.Column("begun_at", types.Instant(), nullable=True),
        sa.Column("done_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_chat_asks")),
    )
    op.create_table(
        "comms_places",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("pinned", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "incident", "recipient", name=op.f("pk_comms_places")),
    )
    op.create_table(
        "conditions",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("measured", types.Document, nullable=True),
        sa.Column("breached_since", types.Instant(), nullable=True),
        sa.Column("well_since", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("service", "metric", "labels", name=op.f("pk_conditions")),
    )
    op.create_table(
        "contacts",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("verified_at", types.Instant(), nullable=True),
        sa.Column("bounced_at", types.Instant(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", "method", name=op.f("pk_contacts")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", types.Serial, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "course_alerts",
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("alert", "incident", name=op.f("pk_course_alerts")),
    )
    with op.batch_alter_table("course_alerts", schema=None) as batch_op:
        batch_op.create_index("ix_course_alerts_incident", ["incident"], unique=False)

    op.create_table(
        "courses",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_service", sa.Text(), nullable=False),
        sa.Column("hypotheses", types.Document, nullable=False),
        sa.Column("drill", sa.Integer(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("start_known", sa.Integer(), nullable=False),
        sa.Column("declared_at", types.Instant(), nullable=False),
        sa.Column("acknowledged_at", types.Instant(), nullable=True),
        sa.Column("watched_at", types.Instant(), nullable=True),
        sa.Column("helped_at", types.Instant(), nullable=True),
        sa.Column("resolved_at", types.Instant(), nullable=True),
        sa.Column("acted_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_courses")),
    )
    with op.batch_alter_table("courses", schema=None) as batch_op:
        batch_op.create_index("ix_courses_declared_at", ["declared_at"], unique=False)

    op.create_table(
        "cursors",
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("sampler", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("cursor", types.Document, nullable=False),
        sa.Column("looked_at", types.Instant(), nullable=False),
        sa.Column("seen_at", types.Instant(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("troubled_since", types.Instant(), nullable=True),
        sa.Column("troubles", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("check", name=op.f("pk_cursors")),
    )
    op.create_table(
        "customer_reports",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_reports")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customer_reports", schema=None) as batch_op:
        batch_op.create_index("ix_customer_reports_at", ["at"], unique=False)
        batch_op.create_index("ix_customer_reports_sender_at", ["sender", "at"], unique=False)
        batch_op.create_index("ix_customer_reports_service_at", ["service", "at"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("message", types.Document, nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_incident", ["incident"], unique=False)
        batch_op.create_index("ix_deliveries_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "delivery_attempts",
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", "number", name=op.f("pk_delivery_attempts")),
    )
    op.create_table(
        "error_counts",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service", "fingerprint", "at", name=op.f("pk_error_counts")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("error_counts", schema=None) as batch_op:
        batch_op.create_index("ix_error_counts_at", ["at"], unique=False)

    op.create_table(
        "errors",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("culprit", sa.Text(), nullable=False),
        sa.Column("versions", types.Document, nullable=False),
        sa.Column("count", types.Serial, nullable=False),
        sa.Column("first_seen", types.Instant(), nullable=False),
        sa.Column("last_seen", types.Instant(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("service", "fingerprint", name=op.f("pk_errors")),
    )
    with op.batch_alter_table("errors", schema=None) as batch_op:
        batch_op.create_index("ix_errors_last_seen", ["last_seen"], unique=False)

    op.create_table(
        "events",
        sa.Column("seq", types.Serial, autoincrement=True, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("cause", types.Serial, nullable=True),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("data", types.Document, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("stream", "version", name=op.f("uq_events_stream_version")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_events_agents",
            ["actor_id", "seq"],
            unique=False,
            sqlite_where=sa.text("actor_kind = 'agent'"),
            postgresql_where=sa.text("actor_kind = 'agent'"),
        )
        batch_op.create_index("ix_events_incident_seq", ["incident", "seq"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", types.Instant(), nullable=False),
        sa.Column("beat_at", types.Instant(), nullable=True),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "inbound",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
    )
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_received_at", ["received_at"], unique=False)
        batch_op.create_index("uq_inbound_source_delivery", ["source", "delivery"], unique=True)

    op.create_table(
        "inbound_alerts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("is_firing", sa.Integer(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "identity", name=op.f("pk_inbound_alerts")),
    )
    op.create_table(
        "inbound_sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_seen", types.Instant(), nullable=True),
        sa.Column("last_seen", types.Instant(), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("invalid", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("last_error_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_inbound_sources")),
    )
    op.create_table(
        "incidents",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("services", types.Document, nullable=False),
        sa.Column("declared_at", types.Instant(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("resolved_at", types.Instant(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("last_seq", types.Serial, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_is_open_severity", ["is_open", "severity"], unique=False)

    op.create_table(
        "intake_alerts",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("generator_url", sa.Text(), nullable=False),
        sa.Column("first_seen", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_alerts")),
        sa.UniqueConstraint("key", name=op.f("uq_intake_alerts_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "intake_episodes",
        sa.Column("seq", types.Serial, autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_intake_episodes")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("intake_episodes", schema=None) as batch_op:
        batch_op.create_index("ix_intake_episodes_alert_id", ["alert_id"], unique=False)
        batch_op.create_index("ix_intake_episodes_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "intake_facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_intake_facts")),
    )
    op.create_table(
        "intake_flaps",
        sa.Column(
            "alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("openings", sa.LargeBinary(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_intake_flaps")),
    )
    with op.batch_alter_table("intake_flaps", schema=None) as batch_op:
        batch_op.create_index("ix_intake_flaps_until", ["until"], unique=False)

    op.create_table(
        "intake_groups",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("flush", sa.Integer(), nullable=False),
        sa.Column("flushed_at", types.Instant(), nullable=True),
        sa.Column("outstanding", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("emptied_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_groups")),
        sa.UniqueConstraint("key", name=op.f("uq_intake_groups_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("intake_groups", schema=None) as batch_op:
        batch_op.create_index("ix_intake_groups_group_key", ["group_key"], unique=False)

    op.create_table(
        "intake_hot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("assumed", sa.Integer(), nullable=False),
        sa.Column("note", sa.BigInteger(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_hot")),
    )
    op.create_table(
        "intake_journal",
        sa.Column("seq", types.Serial, autoincrement=True, nullable=False),
        sa.Column("accepted_at", types.Instant(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("written", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_intake_journal")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "intake_led",
        sa.Column(
            "alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_intake_led")),
    )
    with op.batch_alter_table("intake_led", schema=None) as batch_op:
        batch_op.create_index("ix_intake_led_incident", ["incident"], unique=False)

    op.create_table(
        "intake_members",
        sa.Column(
            "group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("group_id", "alert_id", name=op.f("pk_intake_members")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "intake_silences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_silences")),
    )
    with op.batch_alter_table("intake_silences", schema=None) as batch_op:
        batch_op.create_index("ix_intake_silences_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "intake_sources",
        sa.Column("rule", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("equal", sa.LargeBinary(), nullable=False),
        sa.Column(
            "alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("is_target", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "equal", "alert_id", name=op.f("pk_intake_sources")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("intake_sources", schema=None) as batch_op:
        batch_op.create_index("ix_intake_sources_alert_id", ["alert_id"], unique=False)

    op.create_table(
        "intake_told",
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("firing", sa.LargeBinary(), nullable=False),
        sa.Column("resolved", sa.LargeBinary(), nullable=False),
        sa.Column("told_at", types.Instant(), nullable=True),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_at", types.Instant(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("group_key", "receiver", "integration", name=op.f("pk_intake_told")),
    )
    with op.batch_alter_table("intake_told", schema=None) as batch_op:
        batch_op.create_index("ix_intake_told_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "items",
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("added_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tracker", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "number", name=op.f("pk_items")),
    )
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index("ix_items_status_due_on", ["status", "due_on"], unique=False)
        batch_op.create_index("ix_items_tracker_reference", ["tracker", "reference"], unique=False)

    op.create_table(
        "maintenance",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("over_at", types.Instant(), nullable=True),
        sa.Column("window", types.Document, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_maintenance")),
    )
    op.create_table(
        "oncall_absences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("cancelled_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_absences")),
    )
    with op.batch_alter_table("oncall_absences", schema=None) as batch_op:
        batch_op.create_index("ix_oncall_absences_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "oncall_calendars",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fetched_at", types.Instant(), nullable=True),
        sa.Column("tried_at", types.Instant(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_oncall_calendars")),
    )
    op.create_table(
        "oncall_feeds",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("ended_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_oncall_feeds")),
    )
    op.create_table(
        "oncall_handoffs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("taker", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("drafted_at", types.Instant(), nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=False),
        sa.Column("edited_at", types.Instant(), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("accepted_at", types.Instant(), nullable=True),
        sa.Column("sent_at", types.Instant(), nullable=True),
        sa.Column("sent_to", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_handoffs")),
    )
    with op.batch_alter_table("oncall_handoffs", schema=None) as batch_op:
        batch_op.create_index("ix_oncall_handoffs_schedule_at", ["schedule", "at"], unique=False)

    op.create_table(
        "oncall_overrides",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("instead_of", sa.Text(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("swap", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("cancelled_at", types.Instant(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_overrides")),
    )
    with op.batch_alter_table("oncall_overrides", schema=None) as batch_op:
        batch_op.create_index("ix_oncall_overrides_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "oncall_swaps",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("taker", sa.Text(), nullable=False),
        sa.Column("give_start", types.Instant(), nullable=False),
        sa.Column("give_end", types.Instant(), nullable=False),
        sa.Column("take_start", types.Instant(), nullable=True),
        sa.Column("take_end", types.Instant(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", types.Instant(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oncall_swaps")),
    )
    with op.batch_alter_table("oncall_swaps", schema=None) as batch_op:
        batch_op.create_index("ix_oncall_swaps_give_end", ["give_end"], unique=False)

    op.create_table(
        "oncall_ticks",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("shift", types.Instant(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "person", "shift", "item", name=op.f("pk_oncall_ticks")),
    )
    op.create_table(
        "page_answers",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("used_at", types.Instant(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_page_answers")),
    )
    op.create_table(
        "page_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_page_keys")),
    )
    op.create_table(
        "pager_troubles",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("since", types.Instant(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_pager_troubles")),
    )
    op.create_table(
        "pages",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("last_seq", types.Serial, nullable=False),
        sa.Column("document", types.Document, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_pages")),
    )
    with op.batch_alter_table("pages", schema=None) as batch_op:
        batch_op.create_index("ix_pages_incident", ["incident"], unique=False)
        batch_op.create_index("ix_pages_started_at", ["started_at"], unique=False)
        batch_op.create_index("ix_pages_status", ["status"], unique=False)

    op.create_table(
        "runbook_trials",
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("rot", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("tried_at", types.Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("held_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("runbook", "part", name=op.f("pk_runbook_trials")),
    )
    op.create_table(
        "samples",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("service", "metric", "labels", "at", name=op.f("pk_samples")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.create_index("ix_samples_at", ["at"], unique=False)

    op.create_table(
        "status_asks",
        sa.Column("id", types.Serial, autoincrement=True, nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_asks")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("status_asks", schema=None) as batch_op:
        batch_op.create_index("ix_status_asks_at", ["at"], unique=False)
        batch_op.create_index("ix_status_asks_sender_at", ["sender", "at"], unique=False)

    op.create_table(
        "status_subscribers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("asked_at", types.Instant(), nullable=False),
        sa.Column("confirmed_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_subscribers")),
        sa.UniqueConstraint("digest", name=op.f("uq_status_subscribers_digest")),
    )
    with op.batch_alter_table("status_subscribers", schema=None) as batch_op:
        batch_op.create_index("ix_status_subscribers_confirmed_at", ["confirmed_at"], unique=False)

    op.create_table(
        "status_updates",
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("components", types.Document, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "number", name=op.f("pk_status_updates")),
    )
    with op.batch_alter_table("status_updates", schema=None) as batch_op:
        batch_op.create_index("ix_status_updates_outcome_at", ["outcome", "at"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tracker", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("begun_at", types.Instant(), nullable=True),
        sa.Column("tried_at", types.Instant(), nullable=True),
        sa.Column("known", types.Document, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "number", name=op.f("pk_tickets")),
    )
    op.create_table(
        "timers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("data", types.Document, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
    )
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.create_index("ix_timers_due_at", ["due_at"], unique=False)
        batch_op.create_index("ix_timers_incident", ["incident"], unique=False)
        batch_op.create_index("ix_timers_kind_due_at", ["kind", "due_at"], unique=False)

    op.create_table(
        "traits",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("services", types.Document, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("change_kind", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("mitigation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_traits")),
    )
