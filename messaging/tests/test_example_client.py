"""The client that people copy: it tells of everything once, whatever happens to the server."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from chatproject.testing import PASSWORD, Server
from chatproject.testing.stage import ROOT

PROGRAM = ROOT / "docs" / "example_client.py"


def _wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    assert is_so()


class Account:
    """Somebody who asks again until there is an answer."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.http = httpx.Client(base_url=server.url, timeout=10)
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        registered = self.call("POST", "/auth/register", json=body)
        self.id = registered["user"]["id"]
        self.http.headers["Authorization"] = f"Bearer {registered['access']}"

    def call(self, method: str, path: str, **more: Any) -> Any:
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.request(method, path, **more)
                if answer.status_code != 503:
                    assert answer.is_success, answer.text
                    return answer.json() if answer.content else None
            time.sleep(0.02)

    def chat_with(self, *others: "Account", **facts: Any) -> str:
        members = [one.id for one in others]
        found: str = self.call("POST", "/chats", json={"members": members, **facts})["id"]
        return found

    def says(self, chat: str, content: str) -> dict[str, Any]:
        body = {"content": content, "client_id": str(uuid.uuid4())}
        message: dict[str, Any] = self.call("POST", f"/chats/{chat}/messages", json=body)
        return message

    def edits(self, message: dict[str, Any], content: str) -> None:
        self.call("PATCH", _address(message), json={"content": content})

    def deletes(self, message: dict[str, Any]) -> None:
        self.call("DELETE", _address(message))

    def floods(self, chat: str, times: int) -> None:
        """More than an answer to ``sync`` has room for."""
        url = str(self.http.base_url.copy_with(scheme="ws", path="/ws"))
        headers = {"Authorization": self.http.headers["Authorization"]}
        with connect(url, additional_headers=headers, max_size=None) as ws:
            for number in range(times):
                send = {"type": "message.send", "chat_id": chat, "content": str(number)}
                ws.send(json.dumps({**send, "ref": str(number)}))
            while json.loads(ws.recv()).get("ref") != str(times - 1):
                pass

    def reacts_to(self, message: dict[str, Any]) -> None:
        self.call("PUT", f"{_address(message)}/reactions/%F0%9F%91%8D")

    @contextlib.contextmanager
    def talking(self, chat: str) -> Iterator[None]:
        """Says one thing after the other all the while."""
        enough = threading.Event()

        def talk() -> None:
            while not enough.wait(0.03):
                self.says(chat, f"{self.name} at {time.monotonic()}")

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()


def _address(message: dict[str, Any]) -> str:
    return f"/chats/{message['chat_id']}/messages/{message['id']}"


class Follower:
    """The program as a process of its own, and what it has printed."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        self._printed, self.errors = folder / "printed", folder / "errors"
        with self._printed.open("w") as out, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM, server.url, name],
                env={**os.environ, "CHAT_PASSWORD": PASSWORD},
                stdout=out,
                stderr=errors,
            )

    @contextlib.contextmanager
    def cut_off(self) -> Iterator[None]:
        """It notices nothing, and does nothing about it."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def lines(self, chat: str) -> list[tuple[int, str, str, Any]]:
        """The seq, sender, what and content of each line of a chat."""
        whole = self._printed.read_text().split("\n")[:-1]
        parts = [line.split(" ", 4) for line in whole]
        return [(int(p[1]), p[2], p[3], json.loads(p[4])) for p in parts if p[0] == chat]

    def changes(self, chat: str) -> list[tuple[int, str, str, Any]]:
        return [line for line in self.lines(chat) if line[2] != "new"]

    def has(self, message: dict[str, Any], what: str = "new", content: str | None = None) -> bool:
        content = message["content"] if content is None else content
        wanted = (message["seq"], message["sender"]["username"], what, content)
        return wanted in self.lines(message["chat_id"])


@pytest.fixture
def people(own_server: Server) -> Iterator[list[Account]]:
    found = [Account(own_server, name) for name in ("ana", "ben", "cem")]
    yield found
    for one in found:
        one.http.close()


@pytest.fixture
def follow(own_server: Server, tmp_path: Path) -> Iterator[Callable[[Account], Follower]]:
    started: list[Follower] = []

    def start(who: Account) -> Follower:
        started.append(Follower(own_server, who.name, tmp_path))
        return started[0]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        print(one.errors.read_text())  # noqa: T201


def _assert_each_once(follower: Follower, reader: Account, chat: str, first: int) -> None:
    """Each message from the first on is a line, in order."""
    history, after = [], first - 1
    while page := reader.call("GET", f"/chats/{chat}/messages?after={after}&limit=200")["results"]:
        history, after = history + page, page[-1]["seq"]
    new = [(seq, sender, text) for seq, sender, what, text in follower.lines(chat) if what == "new"]
    assert [seq for seq, *_ in new] == [one["seq"] for one in history]
    untouched = {one["seq"] for one in history if not (one["edited_at"] or one["deleted_at"])}
    told = [line for line in new if line[0] in untouched]
    assert told == [
        (one["seq"], one["sender"]["username"] if one["sender"] else "-", one["content"])
        for one in history
        if one["seq"] in untouched
    ]


def test_the_example_client_tells_of_everything_once_across_restarts(
    own_server: Server, people: list[Account], follow: Callable[[Account], Follower]
):
    ana, ben, cem = people
    busy = ana.chat_with(ben, cem, type="group", name="Busy")
    quiet = ana.chat_with(cem, type="direct")
    early = [ana.says(chat, "before it came") for chat in (busy, quiet)]
    follower = follow(cem)
    _wait_until(lambda: cem.call("GET", "/users/me")["is_online"])
    time.sleep(1)
    first = [ana.says(chat, "one\nand two") for chat in (busy, quiet)]
    _wait_until(lambda: all(follower.has(message) for message in first))

    with ana.talking(busy), ben.talking(busy):
        ana.edits(first[0], "seen at once")
        _wait_until(lambda: follower.has(first[0], "edited", "seen at once"))

        with follower.cut_off():
            own_server.stop(signal.SIGKILL)
            own_server.start()
            missed = ana.says(quiet, "while it was away")
            ana.edits(first[1], "edited while it was away")
            later = ben.chat_with(cem, ana, type="group", name="Later")
            known_late = ben.says(later, "in a chat that it does not know")
        _wait_until(lambda: follower.has(missed) and follower.has(known_late))

        own_server.stop(signal.SIGTERM)
        with follower.cut_off():
            own_server.start()
            ana.floods(later, 501)
            ana.deletes(missed)
            last = ben.says(later, "the last one here")
        _wait_until(lambda: follower.has(last) and follower.has(missed, "deleted", ""))

        silent = ana.chat_with(cem, type="group", name="Only its first line")
        _wait_until(lambda: len(follower.lines(silent)) > 0)
        ana.reacts_to(first[0])
    final = ana.says(busy, "done")
    _wait_until(lambda: follower.has(final))

    beginnings = {busy: first[0]["seq"], quiet: first[1]["seq"], later: 1, silent: 1}
    for chat, start in beginnings.items():
        _assert_each_once(follower, cem, chat, start)
    assert follower.changes(busy) == [(first[0]["seq"], "ana", "edited", "seen at once")]
    assert follower.changes(quiet) == [
        (first[1]["seq"], "ana", "edited", "edited while it was away"),
        (missed["seq"], "ana", "deleted", ""),
    ]
    assert follower.changes(later) == follower.changes(silent) == []
    assert not any(follower.has(message) for message in early)
    assert follower.process.poll() is None


def test_a_wrong_password_ends_it_with_a_sentence(own_server: Server):
    ended = subprocess.run(
        [sys.executable, PROGRAM, own_server.url, "nobody"],
        env={**os.environ, "CHAT_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Cannot sign in: ")
    assert "invalid_credentials" in ended.stderr


def test_the_example_client_is_short():
    lines = PROGRAM.read_text().splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
