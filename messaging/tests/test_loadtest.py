"""A load test against a running server, which leaves nothing behind."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Allowance, Connection, SignIn, User
from chatproject.testing import Server
from chatproject.testing.services import free_port
from chats.models import Chat, Membership
from messaging.models import Message

pytestmark = pytest.mark.usefixtures("installation")

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--members", "12", "--pace", "20", "--seconds", "1"]


def begun(server: Server, *options: str) -> "subprocess.Popen[str]":
    """A test of this server, with its settings, as its operator runs it."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "loadtest", "--port", str(server.port), *options],
        cwd=ROOT,
        env=server.inherited(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a shell, Ctrl+C is ignored by all below it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def said(server: Server, *options: str) -> str:
    process = begun(server, *options)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def rows() -> list[int]:
    return [model.objects.count() for model in (User, SignIn, Chat, Membership, Message)]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = rows()
    yield
    assert rows() == before
    theirs = User.objects.filter(username__startswith="loadtest-")
    assert not Connection.objects.filter(user__in=theirs).exists()


def test_it_says_how_it_went(server: Server) -> None:
    out = said(server, *SMALL)
    assert "12 of 12 sockets" in out
    assert "1 of 1 seconds" in out
    assert re.search(r"Sent +20 messages in .* s, 20 acknowledged, 0 refused", out)
    assert re.search(r"Delivered +240 to 12 sockets, \d+/s", out)
    assert re.search(r"Delays +p50 \d+\.\d ms, p99 \d+\.\d ms", out)
    assert re.search(r"Late +0 ", out)
    assert re.search(r"Lost +0\n", out)
    assert "\r" not in out


def test_a_server_is_saturated(server: Server) -> None:
    out = said(server, "--members", "12", "--saturate", "--seconds", "1")
    found = re.search(r"Sent +([\d,]+) messages in .*, ([\d,]+) acknowledged, 0 refused", out)
    assert found
    assert found[1] == found[2]
    assert int(found[1].replace(",", "")) > 70
    assert re.search(r"Lost +0\n", out)


def test_the_limits_of_people_are_kept(strict_server: Server) -> None:
    out = said(strict_server, *SMALL[:3], "14", *SMALL[4:])
    assert re.search(r"Sent +14 messages in .* s, 14 acknowledged, 0 refused", out)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_leaves_nothing_either(server: Server, how: signal.Signals) -> None:
    before = rows()
    process = begun(server, "--members", "12", "--pace", "50", "--seconds", "10")
    assert process.stdout
    while "seconds" not in (line := process.stdout.readline()):
        assert line, process.communicate()
    assert [now > was for now, was in zip(rows(), before, strict=True)] == [True] * 5
    process.send_signal(how)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in err


def test_nothing_is_made_where_no_server_answers() -> None:
    with pytest.raises(CommandError, match="No server answers at"):
        call_command("loadtest", host="127.0.0.1", port=free_port())


def test_a_server_with_another_secret_is_told_from_its_own(server: Server) -> None:
    other = Server(SECRET_KEY="of somebody else, and long enough to be a real one")
    other.port = server.port
    process = begun(other, *SMALL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "does not know the people that were made" in err


def test_an_installation_without_tables_is_told_from_it(server: Server, tmp_path: Path) -> None:
    empty = Server(DATA_DIR=str(tmp_path), DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    empty.environment |= {"PORT": str(server.port), "REDIS_URL": "", "WORKERS": "1"}
    empty.port = server.port
    _, err = (process := begun(empty, *SMALL)).communicate(timeout=60)
    assert process.returncode == 1
    assert "The database cannot be used" in err
    assert "run this with the settings of the server" in err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"members": 5}, "--members from 6"),
        ({"members": 10_001}, "--members from 6 to 10000"),
        ({"seconds": 0}, "--seconds"),
        ({"pace": 0.0}, "--pace"),
        ({"pace": -1.0}, "--pace"),
        ({"pace": float("nan")}, "--pace"),
        ({"pace": 5.0, "saturate": True}, "not both"),
    ],
)
def test_what_cannot_be_is_refused(server: Server, options: dict[str, Any], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        call_command("loadtest", host="127.0.0.1", port=server.port, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"saturate": True}, "RATE_LIMITS=off"),
        ({"pace": 50.0, "members": 29}, "--members of at least 30, or --pace of at most 48"),
    ],
)
def test_what_the_limits_forbid_is_refused(
    settings: Any, server: Server, options: dict[str, Any], words: str
) -> None:
    settings.RATE_LIMITS = True
    with pytest.raises(CommandError, match=words):
        call_command("loadtest", host="127.0.0.1", port=server.port, **options)


def test_the_rows_of_limits_go_too(strict_server: Server) -> None:
    """Of that installation, which this process does not see: so as the command itself does."""
    from bench.rows import Rows

    rows = Rows(["loadtest-one", "loadtest-two"], (range(2),))
    rows.store()
    one = User.objects.get(username="loadtest-one")
    for rate in ("message", "connect"):
        Allowance.objects.create(key=f"{rate}:{one.id}", whole_at=2**62, granted=1)
    rows.remove()
    assert not Allowance.objects.filter(key__endswith=str(one.id)).exists()
