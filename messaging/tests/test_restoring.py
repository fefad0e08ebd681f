"""Data that went back, or was replaced, has a new epoch; data that did neither keeps its own."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatproject.testing import Server
from chatproject.testing.stage import ROOT
from messaging import epochs, reading
from messaging.tests.test_restart import Account

KILL, TERM = signal.SIGKILL, signal.SIGTERM
SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
ROWS = """
DO $$ BEGIN EXECUTE (
    SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public'
); END $$
"""


class Talk:
    """Ana, who has chats, and a client that knows them as of when it last asked."""

    def __init__(self, server: Server) -> None:
        self.server, self.ana = server, Account(server, "ana")
        group = {"type": "group", "name": "Flood"}
        made = [self.ana.call("POST", "/chats", json=group) for _ in range(2)]
        self.known = {chat["id"]: chat["version"] for chat in made}
        self.epochs: list[str] = []

    def say(self) -> None:
        for chat_id in self.known:
            path = f"/chats/{chat_id}/messages"
            self.known[chat_id] = self.ana.call("POST", path, json={"content": "x"})["version"]

    async def epoch(self) -> str:
        async with self.ana.socket() as socket:
            return str(socket.hello["epoch"])

    async def sync(self, epoch: str) -> dict[str, Any]:
        async with self.ana.socket() as socket:
            answer = await socket.ask("sync", epoch=epoch, chats=self.known)
            assert answer["epoch"] == socket.hello["epoch"]
            return answer

    async def ends_and_is_restored(self, how: int, restore: Callable[[], object]) -> None:
        """What the client knows is then of another epoch, though nothing shows it but that."""
        epoch = await self.epoch()
        self.say()
        assert (await self.sync(epoch))["changes"] == []
        self.epochs.append(epoch)
        self.server.stop(how)
        restore()
        self.server.start()
        for _ in range(2):  # the second time the server has gone as far as the client
            changes = (await self.sync(epoch))["changes"]
            assert {one["chat_id"]: one["complete"] for one in changes} == dict.fromkeys(
                self.known, False
            )
            self.say()
        assert await self.epoch() not in self.epochs
        assert self.server.log.read_text().count("its epoch is new") == len(self.epochs)


@pytest.fixture
def data(own_environment: dict[str, str]) -> Path:
    return Path(own_environment["DATA_DIR"])


@pytest.fixture
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


@pytest.fixture
def joining(own_environment: dict[str, str], backups: Path) -> Iterator[Server]:
    """Another machine of the same installation."""
    server = Server(**own_environment | {"DATA_DIR": str(backups)})
    yield server
    server.stop(KILL)


# SQLite


def _copy_over(backup: Path, database: Path) -> None:
    for end in ("-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    shutil.copyfile(backup, database)


def _replace_folder(backup: Path, data: Path) -> None:
    shutil.rmtree(data)
    _copy_folder(backup, data)


def _copy_folder(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


def _execute(database: Path, statement: str, *values: str) -> None:
    sqlite = sqlite3.connect(database, timeout=20)
    sqlite.execute(statement, values)
    sqlite.close()


@pytest.mark.embedded
async def test_a_restored_sqlite_file_has_a_new_epoch(
    own_server: Server, data: Path, backups: Path
):
    talk, database = Talk(own_server), data / "chat.sqlite3"
    first, last, folder = backups / "first", backups / "last", backups / "data"

    _execute(database, "VACUUM INTO ?", str(first))
    await talk.ends_and_is_restored(TERM, lambda: _copy_over(first, database))

    def keep_folder_and_copy_over() -> None:
        _copy_folder(data, folder)
        _copy_over(first, database)

    await talk.ends_and_is_restored(KILL, keep_folder_and_copy_over)
    await talk.ends_and_is_restored(KILL, lambda: _replace_folder(folder, data))

    _execute(database, "VACUUM INTO ?", str(last))
    await talk.ends_and_is_restored(KILL, lambda: (database.unlink(), _copy_over(last, database)))


@pytest.mark.embedded
async def test_nothing_else_on_sqlite_changes_the_epoch(own_server: Server, data: Path):
    talk, database = Talk(own_server), data / "chat.sqlite3"
    epoch = await talk.epoch()
    seed = [sys.executable, "manage.py", "seed", "--users", "2", "--messages", "10"]
    subprocess.run(seed, cwd=ROOT, env=own_server.inherited(), check=True)
    own_server.stop(KILL)
    (data / "served_until").unlink()
    _execute(database, "VACUUM")
    own_server.start()
    assert await talk.epoch() == epoch
    own_server.stop(TERM)
    subprocess.run(["chmod", "-R", "u+x", data], check=True)
    subprocess.run(["chown", "-R", str(os.geteuid()), data], check=True)
    for path in data.iterdir():
        os.utime(path, (0, 0))
    data.rename(data.with_name("moved")).rename(data)
    own_server.start()
    assert await talk.epoch() == epoch
    assert (await talk.sync(epoch))["changes"] == []


# PostgreSQL


def _postgres(program: str, url: str, *flags: str) -> None:
    path = Path(os.environ.get("POSTGRES_BIN", "")) / program
    subprocess.run([path, "-d", url, *flags], check=True, stdout=subprocess.DEVNULL)


def _psql(url: str, *flags: str) -> None:
    _postgres("psql", url, "-Xq", "-v", "ON_ERROR_STOP=1", *flags)


@pytest.mark.services
async def test_a_restored_dump_has_a_new_epoch(
    own_server: Server, own_environment: dict[str, str], data: Path, backups: Path
):
    talk, url = Talk(own_server), own_environment["DATABASE_URL"]
    server, name = url.rsplit("/", 1)
    whole, rows = str(backups / "whole"), str(backups / "rows")

    def into_a_new_database() -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name}".encode())
        _psql(url, "-f", whole)

    def into_an_emptied_one_with_no_folder() -> None:
        _psql(url, "-c", SCHEMA, "-f", whole)
        shutil.rmtree(data)

    _postgres("pg_dump", url, "-f", whole)
    await talk.ends_and_is_restored(KILL, into_a_new_database)
    _postgres("pg_dump", url, "-f", whole)
    await talk.ends_and_is_restored(KILL, into_an_emptied_one_with_no_folder)
    _postgres("pg_dump", url, "--data-only", "--disable-triggers", "-f", rows)
    await talk.ends_and_is_restored(TERM, lambda: _psql(url, "-c", ROWS, "-f", rows))


@pytest.mark.services
async def test_nothing_else_on_postgresql_changes_the_epoch(
    own_server: Server, own_environment: dict[str, str], data: Path, joining: Server
):
    talk, url = Talk(own_server), own_environment["DATABASE_URL"]
    epoch = await talk.epoch()
    joining.start()
    own_server.stop(KILL)
    shutil.rmtree(data)
    _psql(url, "-c", "VACUUM FULL")
    own_server.start()
    assert await talk.epoch() == epoch
    joining.stop(KILL)
    talk.say()
    joining.start()
    assert await talk.epoch() == epoch
    assert (await talk.sync(epoch))["changes"] == []


# Both


@pytest.mark.parametrize("content", [None, b"", b"1795", b"\0\xff", "folder"])
def test_a_file_that_was_not_written_to_its_end_changes_nothing(
    server: Server, content: bytes | str | None, caplog: pytest.LogCaptureFixture
):
    epochs.renew()
    epoch, file = reading.epoch(), settings.DATA_DIR / "served_until"
    file.unlink()
    if content == "folder":  # as good as a disk that takes nothing
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    epochs.renew()
    assert reading.epoch() == epoch
    if content == "folder":
        assert "it is unknown whether the data was restored" in caplog.text
        file.rmdir()
        epochs.renew()
    assert file.read_text().isdigit()


def test_to_say_the_epoch_takes_no_more_than_a_read(server: Server):
    """It is asked for by every socket that opens, and a thousand may open at once."""
    epochs.renew()
    with CaptureQueriesContext(connection) as queries:
        reading.epoch()
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_a_file_that_is_ahead_of_the_data_does(server: Server):
    epoch, file = reading.epoch(), settings.DATA_DIR / "served_until"
    file.write_text(str(int(file.read_text()) + 60_000_000))
    epochs.renew()
    renewed = reading.epoch()
    assert renewed != epoch
    epochs.renew()
    assert reading.epoch() == renewed
