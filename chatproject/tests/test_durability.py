"""What every connection asks of its database: to answer once the disk has it."""

import sqlite3

import pytest
from django.conf import settings
from django.db import connection, transaction


def _ask(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@pytest.mark.services
def test_postgresql_answers_a_commit_once_it_is_written(installation: None):
    """Though those that the tests start are told not to."""
    assert _ask("SHOW synchronous_commit") == "on"


@pytest.mark.embedded
def test_sqlite_keeps_a_log_and_waits_for_the_disk_and_for_its_turn(installation: None):
    assert _ask("PRAGMA journal_mode") == "wal"
    assert _ask("PRAGMA synchronous") == 2  # FULL
    assert _ask("PRAGMA busy_timeout") == 20_000


@pytest.mark.embedded
def test_a_transaction_on_sqlite_takes_its_turn_when_it_begins(installation: None):
    """One that first reads and then writes would fail at once where another wrote in between."""
    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=0)
    with transaction.atomic():
        connection.ensure_connection()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
