"""Starting the server: what cannot work is refused, in one sentence that names the cure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from chatproject.testing import Server
from chatproject.testing.stage import ROOT


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
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_setting_is_refused_in_one_line(tmp_path: Path, variables: dict[str, str], cure: str):
    answer = start_with(tmp_path, **variables)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert cure in answer.stderr


def test_a_second_server_on_the_port_is_refused(tmp_path: Path, server: Server):
    answer = start_with(tmp_path, PORT=str(server.port))
    assert answer.returncode == 1
    assert "set another HOST or PORT" in answer.stderr


@pytest.mark.parametrize("path", ["", "/", "/nowhere", "/ws/", "/%0a", "/ws%0a"])
def test_a_socket_at_another_address_is_refused(server: Server, path: str):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"{server.url}{path}".replace("http", "ws")),
    ):
        pass
    assert refused.value.response.status_code == 403
