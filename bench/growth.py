"""An installation of many messages, made by SQL in bulk, and what it asks its database for.

A program of its own, for an installation has a process of its own: it takes the number of
messages, and prints what it made as a line of JSON.
"""

import dataclasses
import json
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import django

READERS, CHATS = 16, 100
"""All of them are in all of these; the first one has half of what is said."""
UNREAD = 20
AT_ONCE = 500_000


@dataclass
class Grown:
    """Access tokens, and by read its address and the number of queries for an answer."""

    tokens: list[str]
    paths: dict[str, str]
    queries: dict[str, int]


DIALECTS = {
    "postgresql": {
        "numbers": "SELECT n FROM generate_series(%s::bigint, %s::bigint) AS n",
        "id": "(lpad(to_hex(({start} + n) * 1000), 12, '0') || '70008'"
        " || lpad(to_hex(n), 15, '0'))::uuid",
        "created_at": "to_timestamp({start} + n)",
        "least": "LEAST",
    },
    "sqlite": {
        "numbers": "WITH RECURSIVE t(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM t WHERE n < %s)"
        " SELECT n FROM t",
        "id": "printf('%%012x70008%%015x', ({start} + n) * 1000, n)",
        "created_at": "datetime({start} + n, 'unixepoch')",
        "least": "MIN",
    },
}
"""Ids are those of version 7, of one second each, as the models store them."""
PLACES = """
CREATE TEMPORARY TABLE places AS SELECT id AS chat_id, row_number() OVER (ORDER BY id) - 1 AS number
FROM chats
"""
PEOPLE = """
CREATE TEMPORARY TABLE people AS SELECT id AS user_id, row_number() OVER (ORDER BY id) - 1 AS number
FROM users
"""
MESSAGES = """
INSERT INTO messages (id, chat_id, seq, version, created_version, sender_id, message_type, content,
    html, mentions, created_at)
SELECT {id}, chat_id, seq, {readers} + seq, {readers} + seq, user_id, 'text', %s, %s, '[]',
    {created_at}
FROM (
    SELECT n, CASE n %% 2 WHEN 1 THEN 0 ELSE 1 + (n / 2 - 1) %% ({chats} - 1) END AS place,
        CASE n %% 2 WHEN 1 THEN (n + 1) / 2 ELSE (n / 2 - 1) / ({chats} - 1) + 1 END AS seq
    FROM ({numbers}) AS numbers
) AS numbered
JOIN places ON places.number = place JOIN people ON people.number = seq %% {readers}
"""
COUNTERS = """
UPDATE chats SET last_seq = said.seq, version = {readers} + said.seq, active_at = said.at
FROM (SELECT chat_id, MAX(seq) AS seq, MAX(created_at) AS at FROM messages GROUP BY chat_id) AS said
WHERE said.chat_id = chats.id
"""
MARKS = """
UPDATE memberships SET last_read_seq = chats.last_seq - {least}(chats.last_seq, {unread})
FROM chats WHERE chats.id = memberships.chat_id
"""


def grow(messages: int) -> Grown:
    from bench.queries import queries_for
    from bench.rows import make

    made = make(READERS, (range(READERS),) * CHATS, 0)
    big = min(made.chat_ids)
    _fill(messages)
    newest = f"/chats/{big}/messages?limit=50"
    paths = {
        "newest": newest,
        "old": f"{newest}&before={messages // 4}",
        "list": f"/chats?limit={CHATS}",
    }
    queries = {name: queries_for(path, made.tokens[0]) for name, path in paths.items()}
    return Grown(made.tokens, paths, queries)


def _fill(messages: int) -> None:
    from django.db import connection

    from bench.rows import HTML, TEXT

    words = DIALECTS[connection.vendor]
    start = int(time.time()) - messages - 1
    numbers = {"start": start, "readers": READERS, "chats": CHATS, "unread": UNREAD}
    filled = {name: word.format(**numbers) for name, word in words.items()}
    with connection.cursor() as cursor:
        _hurry(cursor)
        cursor.execute(PLACES)
        cursor.execute(PEOPLE)
        insert = MESSAGES.format(**numbers, **filled)
        for first in range(1, messages + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, messages)
            cursor.execute(insert, [TEXT, HTML, first, last])
        cursor.execute(COUNTERS.format(**numbers))
        cursor.execute(MARKS.format(**numbers, **filled))
        _settle(cursor)


def _hurry(cursor: Any) -> None:
    """Nothing here can break a foreign key, and nobody waits for the disk."""
    if cursor.db.vendor == "postgresql":
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
    else:
        cursor.execute("PRAGMA foreign_keys = off")
        cursor.execute("PRAGMA synchronous = off")


def _settle(cursor: Any) -> None:
    """What a database does by and by, at once: else it would be measured."""
    if cursor.db.vendor == "postgresql":
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    else:
        cursor.execute("ANALYZE")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    django.setup()
    logging.disable(logging.WARNING)
    print(json.dumps(dataclasses.asdict(grow(int(sys.argv[1])))))


if __name__ == "__main__":
    main()
