"""Migrations are whole or not at all, run once however many replicas start, and never touch a newer database."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

import storage
from bot.audit import AuditEntry
from bot.domain import Signal, SignalKind
from bot.ports import TurnState
from bot.references import ConversationReference
from bot.reliability.deploys import Deploy
from bot.reliability.hours import Column
from storage import NewerDatabase, NotMigrated, Revisions, StorageError, Store, open_store
from storage.address import parse
from storage.database import migration_engine
from storage.migrate import _FOLDER, _known, upgrade
from storage.schema import metadata
from tests.storage.examples import AT, answer, ask, claimed, place, texts

HEAD = "0003"
MIGRATIONS = Path(storage.__file__).parent / "migrations"


def _tables(url: str) -> set[str]:
    engine = create_engine(parse(url).url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


async def test_an_empty_database_is_brought_up_and_then_left_alone(empty_url: str):
    async with open_store(empty_url) as store:
        assert await store.migrate() == Revisions(before=None, after=HEAD)
        assert await store.migrate() == Revisions(before=HEAD, after=HEAD)
        assert await store.inbox.put(ask())


async def test_the_migrations_make_exactly_the_tables_of_the_schema(url: str):
    engine = migration_engine(parse(url))
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_every_table_of_a_tenant_carries_its_workspace():
    assert [table.name for table in metadata.sorted_tables if "workspace" not in table.c] == []


async def test_what_is_stored_survives_a_repeated_migration(url: str):
    async with open_store(url) as store:
        await store.inbox.put(ask("kept"))
        await store.migrate()
        assert [record.incoming.text for record in await store.inbox.turns(state=None, limit=5)] == ["kept"]


async def test_what_the_first_release_stored_is_all_there_after_the_migration(empty_url: str, tmp_path: Path):
    assert upgrade(parse(empty_url), _migrations_up_to("0001", tmp_path)) == Revisions(before=None, after="0001")
    stop = Signal(kind=SignalKind.STOP, dedupe_key="stop-1", place=place(), person_id="U1", at=AT)
    async with open_store(empty_url) as store:
        await store.inbox.put(ask("answered"))
        claim = await claimed(store.inbox)
        await store.inbox.answered(claim, answer())
        await store.inbox.done(claim)
        _store_reply_as_before(empty_url)
        await store.inbox.put(ask("waiting"))
        await store.inbox.signal(stop)
        await store.audit.record(AuditEntry(workspace="T1", at=AT, person_id="U1", action="a", about="b"))
        before = await _everything(store)
        assert await store.migrate() == Revisions(before="0001", after=HEAD)
        assert await _everything(store) == before
        assert [turn.answer for turn in await store.inbox.turns(state=TurnState.DONE, limit=1)] == [answer("Fine.")]
        assert await store.inbox.signal(stop) is False
        assert await texts(store.inbox) == ["waiting"]
        assert await store.references.all(platform="teams") == ()


async def test_what_the_second_release_stored_is_all_there_and_hours_can_be_kept_beside_it(
    empty_url: str, tmp_path: Path
):
    assert upgrade(parse(empty_url), _migrations_up_to("0002", tmp_path)) == Revisions(before=None, after="0002")
    heard = ConversationReference(
        platform="teams",
        workspace="T1",
        conversation="19:payments@thread.tacv2",
        kind="channel",
        service_url="https://smba.trafficmanager.net/emea/",
        name="payments",
        known_at=AT,
    )
    async with open_store(empty_url) as store:
        await store.inbox.put(ask("waiting"))
        await store.references.remember(heard)
        with pytest.raises(NotMigrated, match="run `director migrate`"):
            await store.hours("T1").load(["series"], AT, AT)
        before = await _everything(store)
        assert await store.migrate() == Revisions(before="0002", after=HEAD)
        assert await _everything(store) == before
        assert await store.references.all(platform="teams") == (heard,)
        assert await texts(store.inbox) == ["waiting"]
        await store.hours("T1").keep({"series": Column(AT, array("d", [1.5]))})
        await store.issued("T1").put(AT, {"checkout": "said"})
        assert await store.hours("T1").load(["series"], AT, AT) == {"series": Column(AT, array("d", [1.5]))}
        assert await store.issued("T1").get(AT, ["checkout"]) == {"checkout": "said"}
        assert await store.deploys("T1").note(Deploy("checkout", AT)) is True


def _migrations_up_to(last: str, folder: Path) -> Path:
    """As an earlier release brought them."""
    copied = folder / "migrations"
    shutil.copytree(MIGRATIONS, copied)
    for migration in (copied / "versions").glob("[0-9]*.py"):
        if migration.name > f"{last}~":
            migration.unlink()
    return copied


def _store_reply_as_before(url: str) -> None:
    """In the form that replies had before they said who wrote them and where their figures come from."""
    reply = '{"summary":"Fine.","parts":[{"kind":"text","markdown":"Fine."}],"detail":[],"audience":"all"}'
    engine = migration_engine(parse(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE turns SET reply = :reply"), {"reply": reply})
    engine.dispose()


async def _everything(store: Store) -> tuple[object, ...]:
    return (
        await store.inbox.turns(state=None, limit=10),
        await store.memory.thread(place()),
        await store.audit.entries(workspace=None, limit=10),
    )


async def test_a_newer_database_is_refused_and_left_as_it_is(url: str):
    engine = migration_engine(parse(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    sentence = "The database was written by a newer Director (revision 9999); install that version or restore a backup."
    async with open_store(url) as store:
        with pytest.raises(NewerDatabase) as refused:
            await store.migrate()
        with pytest.raises(NewerDatabase) as found:
            await store.check()
    assert (str(refused.value), str(found.value), refused.value.exit_code) == (sentence, sentence, 2)


async def test_a_database_without_tables_says_what_to_run(empty_url: str):
    async with open_store(empty_url) as store:
        with pytest.raises(NotMigrated, match="run `director migrate`"):
            await store.inbox.put(ask())
        condition = await store.check()
    assert (condition.revision, condition.newest, condition.up_to_date) == (None, HEAD, False)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_start_with_nothing_to_migrate_waits_for_no_other_writer(url: str):
    other = sqlite3.connect(str(parse(url).file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with open_store(url) as store, asyncio.timeout(20):
        assert await store.migrate() == Revisions(before=HEAD, after=HEAD)
    other.close()


BROKEN = '''
"""Breaks halfway."""

from alembic import op

revision = "9000"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE TABLE half (id INTEGER)")
    op.execute("INSERT INTO audit (workspace, at, action, about, detail) VALUES ('T', '2026-01-01', 'a', 'b', '{}')")
    op.execute("INSERT INTO no_such_table VALUES (1)")
'''


@pytest.mark.parametrize("start", ["empty", HEAD])
def test_a_migration_that_breaks_leaves_the_database_as_it_was(empty_url: str, tmp_path: Path, start: str):
    if start == HEAD:
        upgrade(parse(empty_url))
    before = _tables(empty_url)
    folder = tmp_path / "100% migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "9000_broken.py").write_text(BROKEN)
    with pytest.raises((StorageError, NotMigrated)):
        upgrade(parse(empty_url), folder)
    assert _tables(empty_url) == before
    assert upgrade(parse(empty_url)) == Revisions(before=None if start == "empty" else HEAD, after=HEAD)


def test_replicas_that_start_together_migrate_once(empty_url: str):
    program = (
        "import sys; from storage.migrate import upgrade; from storage.address import parse;"
        "sys.stdin.readline(); done = upgrade(parse(sys.argv[1])); print(done.before, done.after)"
    )
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for replica in replicas:
        assert replica.stdin is not None
        replica.stdin.write("go\n")
        replica.stdin.flush()
    said = [replica.communicate(timeout=50)[0].strip() for replica in replicas]
    assert sorted(said) == [f"{HEAD} {HEAD}", f"{HEAD} {HEAD}", f"None {HEAD}"]


async def test_a_naive_time_is_refused(url: str):
    async with open_store(url) as store:
        with pytest.raises(Exception, match="naive time"):
            await store.schedules.set_paused("s1", workspace=None, paused=False, at=AT.replace(tzinfo=None))


def test_the_names_of_the_migrations_say_their_revisions():
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert _known(_FOLDER) == tuple(sorted(script.revision for script in scripts.walk_revisions()))
    assert _known(_FOLDER)[-1] == scripts.get_current_head()
