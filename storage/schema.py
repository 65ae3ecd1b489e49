"""The tables. Each that holds a tenant's rows carries its workspace. Changing one needs a migration beside it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.column_types import UtcTime, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Number = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts by itself on SQLite


def _seq() -> Column[int]:
    return Column("seq", Number, primary_key=True, autoincrement=True)


def _place() -> tuple[Column[str], ...]:
    return tuple(Column(name, Text, nullable=False) for name in ("platform", "workspace", "channel", "thread"))


# A turn is held while `token` is set, and finished once `finished_at` is: the partial indexes then need no literals.
turns = Table(
    "turns",
    metadata,
    _seq(),
    Column("turn_id", Text, nullable=False, unique=True),
    *_place(),
    Column("queue_key", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("incoming", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("worker", Text),
    Column("token", Text),
    Column("lease_until", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("not_before", UtcTime),
    Column("reason", Words),
    Column("reply", Text),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    UniqueConstraint("platform", "workspace", "dedupe_key"),
    sqlite_autoincrement=True,
)
Index("ix_turns_place", turns.c.platform, turns.c.workspace, turns.c.channel, turns.c.thread)
_unfinished = text("finished_at IS NULL")
Index("ix_turns_unfinished", turns.c.seq, sqlite_where=_unfinished, postgresql_where=_unfinished)
Index("ix_turns_queue", turns.c.queue_key, turns.c.seq, sqlite_where=_unfinished, postgresql_where=_unfinished)
_held = text("token IS NOT NULL")
Index("uq_turns_held", turns.c.queue_key, unique=True, sqlite_where=_held, postgresql_where=_held)

posts = Table(
    "posts",
    metadata,
    Column("turn_id", Text, ForeignKey("turns.turn_id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("message_id", Text),
)
Index("ix_posts_message", posts.c.platform, posts.c.workspace, posts.c.channel, posts.c.message_id)

signals = Table(
    "signals",
    metadata,
    _seq(),
    *_place(),
    Column("dedupe_key", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("platform", "workspace", "dedupe_key"),
    sqlite_autoincrement=True,
)

# How much is remembered of each thread; appending moves these counters, so appends stand one after the other.
threads = Table(
    "threads",
    metadata,
    Column("thread_key", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("facts", Integer, nullable=False),
)


def _remembered(name: str, *columns: Column[str]) -> Table:
    return Table(
        name,
        metadata,
        Column("thread_key", Text, ForeignKey("threads.thread_key", ondelete="CASCADE"), primary_key=True),
        Column("epoch", Integer, primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("workspace", Text, nullable=False),
        Column("turn_id", Text, nullable=False, index=True),
        *columns,
    )


# JSON stands as text wherever its exact form matters: JSONB forgets the order of keys.
messages = _remembered("messages", Column("role", Text, nullable=False), Column("content", Text, nullable=False))
facts = _remembered("facts", Column("fact", Text, nullable=False))

usage = Table(
    "usage",
    metadata,
    _seq(),
    Column("turn_id", Text, nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("person_id", Text),
    Column("model", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_usage_workspace_at", usage.c.workspace, usage.c.at)

plans = Table(
    "plans",
    metadata,
    _seq(),
    *_place(),
    Column("initiative", Words, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_plans_workspace_seq", plans.c.workspace, plans.c.seq)

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("plan_seq", Number, ForeignKey("plans.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("workspace", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("author_id", Text),
    Column("plan", Text),
    Column("raw", Words),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("workspace", "request_key"),
)

# Removed schedules stay, so that a repeated request can't bring one back and no id is used twice.
schedules = Table(
    "schedules",
    metadata,
    _seq(),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("channel_name", Text, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("days", Text, nullable=False),
    Column("local_time", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("services", Text, nullable=False),
    Column("created_by", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("active_since", UtcTime, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("removed_at", UtcTime),
    UniqueConstraint("workspace", "request_key"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    _seq(),
    Column("workspace", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("person_id", Text),
    Column("action", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_audit_workspace_seq", audit.c.workspace, audit.c.seq)

# Where conversations are reached on a platform that gives no list of them.
conversations = Table(
    "conversations",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("service_url", Text, nullable=False),
    Column("name", Words, nullable=False),
    Column("person_id", Text),
    Column("team_id", Text),
    Column("known_at", UtcTime, nullable=False),
)
Index("ix_conversations_person", conversations.c.platform, conversations.c.workspace, conversations.c.person_id)

# What was asked of a source: the text that names it is long, so its hours carry a number.
hour_series = Table(
    "hour_series",
    metadata,
    _seq(),
    Column("workspace", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("series", Words, nullable=False),
    Column("known_at", UtcTime, nullable=False),
    UniqueConstraint("workspace", "digest"),
    sqlite_autoincrement=True,
)

# A week of one series, counted from the epoch: 168 little-endian doubles, NaN where nothing is known yet.
hour_blocks = Table(
    "hour_blocks",
    metadata,
    Column(
        "series_seq", Number, ForeignKey("hour_series.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("workspace", Text, nullable=False),
    Column("hours", LargeBinary, nullable=False),
)

# Which question a name asks; `since` is set once it has asked another one before.
hour_names = Table(
    "hour_names",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("since", UtcTime),
)

issued_reviews = Table(
    "issued_reviews",
    metadata,
    Column("workspace", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("facts", LargeBinary, nullable=False),  # zlib: the same words come back every week
)

deploys = Table(
    "deploys",
    metadata,
    _seq(),
    Column("workspace", Text, nullable=False),
    Column("service", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("version", Words, nullable=False),
    Column("link", Words, nullable=False),
    UniqueConstraint("workspace", "service", "at", "version"),
    sqlite_autoincrement=True,
)
