"""Notices that the data was restored or replaced: it gets a new epoch, and clients start anew.

Two things outside the data betray it. A copy lies in another place than the data says that it
does. And a file in DATA_DIR knows until when the data was served: what is older went back. The
file is written after the data, so no end of the server, however sudden, puts it ahead.
"""

import asyncio
import ctypes
import logging
import os
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from chatproject.ids import new_id
from chatproject.pools import in_upkeep_pool
from messaging.models import Installation

logger = logging.getLogger(__name__)

RENEW_SECONDS = 10
POSTGRES_PLACE = """
SELECT concat_ws(' ', system_identifier, pg_database.oid, 'installation'::regclass::oid)
FROM pg_control_system(), pg_database WHERE datname = current_database()
"""
HERE, BIRTH_TIME = -100, 0x800  # AT_FDCWD and STATX_BTIME of Linux


async def keep_renewing() -> None:
    """Bounds what a restored backup can hide when the server was killed."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        await in_upkeep_pool(renew)


def renew() -> None:
    """Sets a new epoch if the data is other than it was, and notes that it is served now.

    Has to come before anything is served, and after the last change. Failing, it only says so.
    """
    file = settings.DATA_DIR / "served_until"
    try:
        _write(_renew(_number_in(file)), file)
    except Exception as error:
        logger.warning("it is unknown whether the data was restored: %r", error)


@transaction.atomic
def _renew(noted: int) -> int:
    data, _ = Installation.objects.select_for_update().get_or_create(id=1)
    place = _place()
    if reason := _difference(data, place, noted):
        data.epoch = new_id()
        logger.warning("the data was restored or replaced, its epoch is new: %s", reason)
    data.place = place or data.place
    data.served_until = max(data.served_until + 1, noted, time.time_ns() // 1000)
    data.save()
    return data.served_until


def _difference(data: Installation, place: str, noted: int) -> str:
    """Between the data and what is known of it outside; empty where there is none."""
    if data.served_until < noted:
        return f"it was served until {_time(noted)}, and knows of {_time(data.served_until)}"
    if data.place and place and data.place != place:
        return f"it lies in another place ({place}) than it did ({data.place})"
    return ""


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(" ", "seconds")


def _number_in(file: Path) -> int:
    content = file.read_bytes() if file.exists() else b""
    return int(content) if content.isdigit() else 0


def _write(number: int, file: Path) -> None:
    """In place: neither a sudden end nor a full disk takes away what it said before."""
    file.touch()
    with file.open("r+b") as content:
        content.write(b"%d" % number)
        content.truncate()


def _place() -> str:
    """What no copy of the data has, and no restart changes; empty where nobody knows."""
    if connection.vendor == "sqlite":
        return _birth_of(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(POSTGRES_PLACE)
        return str(cursor.fetchone()[0])


def _birth_of(path: Path) -> str:
    """Not its inode, which the next file gets; not its ctime, which a chmod changes."""
    if sys.platform != "linux":
        found = os.stat(path)  # where Macs keep files, inodes are never used again
        return f"{found.st_ino} {found.st_birthtime}"
    answer = ctypes.create_string_buffer(256)
    ctypes.CDLL(None).statx(HERE, os.fsencode(path), 0, BIRTH_TIME, answer)
    known, seconds, nanoseconds = struct.unpack_from("=I76xqI", answer)
    return f"{seconds}.{nanoseconds:09}" if known & BIRTH_TIME else ""
