"""Starting the server: what cannot work is refused, in one sentence that names the cure."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from chatproject.testing import Newcomer, Server, empty_installation
from chatproject.testing.services import free_port
from chatproject.testing.stage import ROOT


@pytest.fixture
def own_environment(tmp_path: Path) -> dict[str, str]:
    """So that a server makes its installation itself."""
    return empty_installation(tmp_path)


def start_with(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A start that has to fail."""
    plain = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**plain, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("variables", "cure"),
    [
        ({"PORT": "abc"}, "set it to 1 to 65535"),
        ({"PORT": "0"}, "set it to 1 to 65535"),
        ({"HOST": "999.1.1.1"}, "set another HOST"),
        ({"WORKERS": "2"}, "set both, or WORKERS=1"),
        ({"RATE_LIMITS": "maybe"}, "set it to on or off"),
        ({"SECRET_KEY": "short"}, "set a longer random one"),
        ({"DATA_DIR": "/dev/null"}, "name a folder"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "DATABASE_URL is right"),
        ({"DATABASE_URL": "mysql://x"}, "sqlite:///path/to/file"),
        ({"REDIS_URL": "http://x"}, "redis://"),
        ({"DEBUG": "on", "HOST": "0.0.0.0"}, "set DEBUG=off"),
        ({"DEBUG": "on", "PUBLIC_URL": "https://chat.example.org"}, "set DEBUG=off"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0?socket_timeout=5"}, "leave it out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_setting_is_refused_in_one_line(tmp_path: Path, variables: dict[str, str], cure: str):
    answer = start_with(tmp_path, **variables)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert cure in answer.stderr


@pytest.mark.embedded
def test_sqlite_where_it_cannot_keep_a_write_ahead_log_is_refused(tmp_path: Path):
    """As on a network disk."""
    without_shared_memory = f"sqlite:///file:{tmp_path}/chat.sqlite3%3Fvfs=unix-dotfile"
    answer = start_with(tmp_path, DATABASE_URL=without_shared_memory)
    assert answer.returncode == 1
    assert "set DATA_DIR to a folder on a disk of this machine" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1, answer.stderr


@pytest.mark.embedded
def test_a_second_server_on_the_data_is_refused(server: Server):
    answer = start_with(settings.DATA_DIR, PORT=str(free_port()))
    assert answer.returncode == 1
    assert "Another server works on" in answer.stderr
    assert "stop it, or set another DATA_DIR" in answer.stderr


def test_a_second_server_on_the_port_is_refused(tmp_path: Path, server: Server):
    answer = start_with(tmp_path, PORT=str(server.port))
    assert answer.returncode == 1
    assert "set another HOST or PORT" in answer.stderr


@pytest.mark.services
def test_two_that_start_at_once_make_one_database(
    own_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
):
    """Each on a machine of its own."""
    machines = [
        Server(**own_environment | {"WORKERS": "1", "DATA_DIR": str(folder)})
        for folder in (tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two"))
    ]
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Server.start, machines))
        ana = Newcomer(machines[0], "ana")
        assert httpx.get(f"{machines[1].url}/users/me", headers=ana.headers).status_code == 200
    finally:
        for one in machines:
            if one.process.poll() is None:
                one.stop(signal.SIGKILL)


def test_on_sigterm_a_server_is_not_ready_then_gone_within_15_seconds(own_server: Server):
    """Meanwhile it goes on, and its sockets close with 1012."""
    newcomer = Newcomer(own_server, "alice")
    with (
        httpx.Client(base_url=own_server.url) as probe,
        connect(f"{own_server.url}/ws".replace("http", "ws")) as socket,
    ):
        socket.send(json.dumps({"type": "auth", "token": newcomer.access}))
        assert json.loads(socket.recv())["type"] == "hello"
        assert probe.get("/readyz").status_code == 200
        began = time.monotonic()
        own_server.process.send_signal(signal.SIGTERM)
        while probe.get("/readyz").status_code == 200:
            time.sleep(0.01)
        socket.send(json.dumps({"type": "ping", "ref": "late"}))
        assert json.loads(socket.recv())["type"] == "ok"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert own_server.process.wait(15 - (time.monotonic() - began)) == 0


@pytest.mark.parametrize("path", ["", "/", "/nowhere", "/ws/", "/%0a", "/ws%0a"])
def test_a_socket_at_another_address_is_refused(server: Server, path: str):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"{server.url}{path}".replace("http", "ws")),
    ):
        pass
    assert refused.value.response.status_code == 403
