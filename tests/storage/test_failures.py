"""When the database fails people read one sentence that says what to check, and never a password."""

from __future__ import annotations

import sqlite3
import traceback
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import DirectorError, UsageError
from storage import DatabaseUnreachable, StorageError, open_store
from storage.address import parse
from tests.doubles.postgres import PostgresServer
from tests.storage.examples import answer, ask, claimed, texts

SECRET = "hunter2%40secret"
PLAIN = "hunter2@secret"


@pytest.mark.parametrize(
    ("url", "whole", "name"),
    [
        ("sqlite:///director.db", "sqlite+pysqlite:///director.db", "SQLite file director.db"),
        ("sqlite:////var/lib/d.db", "sqlite+pysqlite:////var/lib/d.db", "SQLite file /var/lib/d.db"),
        (
            f"postgres://me:{SECRET}@db/director",
            "postgresql+psycopg://me:***@db/director",
            "PostgreSQL database director at db",
        ),
        (
            f"postgresql://me:{SECRET}@db:5433/director?sslmode=require",
            "postgresql+psycopg://me:***@db:5433/director?sslmode=require",
            "PostgreSQL database director at db:5433",
        ),
        ("postgresql:///d?host=/run/pg", "postgresql+psycopg:///d?host=/run/pg", "PostgreSQL database d at /run/pg"),
    ],
)
def test_a_plain_url_gets_its_driver(url: str, whole: str, name: str):
    address = parse(url)
    assert (str(address.url).replace("%2F", "/"), address.name) == (whole, name)
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{SECRET}@db/director",
        f"postgresql+asyncpg://me:{SECRET}@db/director",
        f"me:{SECRET}@db/director",
        f"postgresql://me:{SECRET}@db:port/director",
        "sqlite://",
        "sqlite:///:memory:",
        "",
    ],
)
def test_a_wrong_url_is_a_mistake_of_the_settings(url: str):
    with pytest.raises(UsageError, match="DATABASE_URL") as refused:
        open_store(url)
    assert "Set DATABASE_URL to sqlite:///director.db or postgresql://" in str(refused.value)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


async def test_a_server_that_is_not_there_is_named_without_its_password():
    async with open_store(f"postgresql://me:{SECRET}@127.0.0.1:1/director") as store:
        for attempt in (store.check, store.migrate, lambda: store.inbox.put(ask())):
            with pytest.raises(DatabaseUnreachable) as unreachable:
                await attempt()
            said = str(unreachable.value)
            assert said.startswith("The PostgreSQL database director at 127.0.0.1:1 can't be reached: ")
            assert "refused" in said
            assert "\t" not in said
            assert said.endswith("Check that it runs, and the host, port, user and password in DATABASE_URL.")
            assert unreachable.value.exit_code == 3
            whole = "".join(traceback.format_exception(unreachable.value))
            assert SECRET not in whole
            assert PLAIN not in whole


async def test_a_database_that_does_not_exist_is_unreachable(postgres_server: PostgresServer):
    missing = parse(postgres_server.database()).url.set(database="nobody_made_this", drivername="postgresql")
    async with open_store(missing.render_as_string(hide_password=False)) as store:
        with pytest.raises(DatabaseUnreachable, match="does not exist"):
            await store.check()


async def test_a_folder_that_is_missing_is_named(tmp_path: Path):
    async with open_store(f"sqlite:///{tmp_path}/no/such/folder/d.db") as store:
        for attempt in (store.check, store.migrate):
            with pytest.raises(DatabaseUnreachable, match=r"folder/d\.db can.t be used: .*check that its folder"):
                await attempt()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("These are my notes, and there are quite a few of them. " * 20)
    async with open_store(f"sqlite:///{tmp_path}/notes.txt") as store:
        with pytest.raises(UsageError, match="is not a SQLite database"):
            await store.migrate()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_file_locked_by_another_process_is_a_sentence(url: str):
    async with open_store(url) as store:
        await store._db.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 50"))
        other = sqlite3.connect(str(parse(url).file), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process kept it locked too long"):
            await store.inbox.put(ask("refused"))
        other.execute("ROLLBACK")
        other.close()
        assert await store.inbox.put(ask("accepted"))
        assert await texts(store.inbox) == ["accepted"]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_work_goes_on_when_a_full_disk_has_space_again(url: str):
    async with open_store(url) as store:
        await store.inbox.put(ask("before"))
        claim = await claimed(store.inbox)
        await store._db.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1"))
        with pytest.raises(StorageError, match="the disk is full"):
            await store.inbox.put(ask("x" * 500_000))
        with pytest.raises(StorageError, match="the disk is full"):
            await store.inbox.answered(claim, answer("y" * 500_000))
        await store._db.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000"))
        assert await store._db.read(lambda c: c.scalar(text("PRAGMA integrity_check"))) == "ok"
        await store.inbox.answered(claim, answer())
        await store.inbox.done(claim)
        assert await store.inbox.put(ask("after"))
        assert await texts(store.inbox) == ["after"]


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_restarted_server_is_connected_to_again(url: str, postgres_server: PostgresServer):
    async with open_store(url) as store:
        await store.inbox.put(ask("before"))
        assert postgres_server.disconnect(url) >= 1
        assert await store.inbox.put(ask("after"))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_statement_that_hangs_is_ended(url: str):
    async with open_store(url) as store:
        with pytest.raises(StorageError, match="took too long"):
            await store._db.write(lambda c: c.execute(text("SET LOCAL statement_timeout = 50; SELECT pg_sleep(30)")))


async def test_a_broken_rule_of_the_database_quotes_no_row(url: str):
    async with open_store(url) as store:
        await store.inbox.put(ask())
        claim = await claimed(store.inbox)
        nobody = answer("very private words").model_copy(update={"messages": (_message_without_role(),)})
        with pytest.raises(DirectorError) as refused:
            await store.inbox.answered(claim, nobody)
        assert "very private words" not in "".join(traceback.format_exception(refused.value))


def _message_without_role():
    message = answer("very private words").messages[0]
    return message.model_copy(update={"role": None, "content": "very private words"})


async def test_a_closed_store_refuses_work(url: str):
    store = open_store(url)
    await store.inbox.put(ask())
    await store.close()
    with pytest.raises(RuntimeError, match="the store is closed"):
        await store.inbox.put(ask())
