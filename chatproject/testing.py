"""The test cast and its stage: a real server process, people with tokens, sockets, browsers.

A pytest plugin, loaded (``-p chatproject.testing``) before Django reads the environment. Each
worker has an installation of its own, shared by its tests and the server under test; nothing is
emptied between tests, as nothing is in real life: every test brings people of its own.
"""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

_folder = tempfile.TemporaryDirectory(prefix="chat-tests-")
os.environ["DATA_DIR"] = _folder.name
# Tests may make people while their event loop runs; the server under test may not.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "on"
os.environ.setdefault("SECRET_KEY", "only for tests, and long enough to be taken for a real one")

import httpx  # noqa: E402
import pytest  # noqa: E402
import websockets  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse 9"
_numbers = itertools.count(1)


# The server under test


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server process on this worker's installation."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"PORT": str(self.port), "PUBLIC_URL": self.url, **environment}
        self.log = Path(tempfile.mkstemp(suffix=".log", dir=_folder.name)[1])

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_ready()

    def _environment(self) -> dict[str, str]:
        inherited = {**os.environ, **self.environment}
        del inherited["DJANGO_ALLOW_ASYNC_UNSAFE"]
        return inherited

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(20)


@pytest.fixture(scope="session")
def installation(django_db_blocker: Any) -> Iterator[None]:
    """The worker's database, brought up to date and open to the test process, too."""
    from django.core.management import call_command

    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0, interactive=False)
        yield


@pytest.fixture(scope="session")
def django_db_setup(installation: None) -> None:
    """Tests work on the installation itself, as the server does."""


@pytest.fixture(scope="session")
def server(installation: None) -> Iterator[Server]:
    """One server for all tests of a worker. At the end its log holds no error."""
    running = Server()
    running.start()
    yield running
    running.stop()
    log = running.log.read_text()
    assert "Traceback" not in log, log
    assert " ERROR " not in log, log


# The cast


class Person:
    """Somebody with an account and a token: ``rest`` is a REST client that bears it."""

    def __init__(self, server: Server, name: str, **facts: Any) -> None:
        from django.contrib.auth.hashers import make_password

        from accounts.actions import start_sign_in
        from accounts.models import User
        from accounts.tokens import access_token, refresh_token

        username = f"{name}{next(_numbers)}-{os.getpid() % 10_000}"
        self.user = User.objects.create(
            username=username,
            email=f"{username}@example.org",
            display_name=facts.pop("display_name", name.capitalize()),
            password=_hash_of_password(make_password),
            **facts,
        )
        self.server = server
        self.sign_in = start_sign_in(user=self.user, kind="token")
        self.access, self.refresh = access_token(self.sign_in), refresh_token(self.sign_in)
        self.headers = {"Authorization": f"Bearer {self.access}"}
        self.rest = httpx.Client(base_url=server.url, headers=self.headers, timeout=30)

    @property
    def id(self) -> str:
        return str(self.user.id)

    @property
    def username(self) -> str:
        return self.user.username

    @contextlib.asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator["SocketClient"]:
        """An open, signed-in socket that has been greeted (``hello``)."""
        options = {"additional_headers": self.headers, "max_size": None, **options}
        async with websockets.connect(
            f"{self.server.url}/ws".replace("http", "ws"), **options
        ) as ws:
            client = SocketClient(ws)
            client.hello = await client.event("hello")
            yield client

    def direct_chat_with(self, other: "Person") -> dict[str, Any]:
        answer = self.rest.post("/chats", json={"type": "direct", "members": [other.id]})
        assert answer.status_code in (200, 201), answer.text
        chat: dict[str, Any] = answer.json()
        return chat

    def group_with(self, *others: "Person", name: str = "Regatta weekend") -> dict[str, Any]:
        body = {"type": "group", "name": name, "members": [other.id for other in others]}
        answer = self.rest.post("/chats", json=body)
        assert answer.status_code == 201, answer.text
        chat: dict[str, Any] = answer.json()
        return chat

    def says(self, chat: dict[str, Any], content: str, **more: Any) -> dict[str, Any]:
        answer = self.rest.post(f"/chats/{chat['id']}/messages", json={"content": content, **more})
        assert answer.status_code in (200, 201), answer.text
        message: dict[str, Any] = answer.json()
        return message


_hashes: list[str] = []


def _hash_of_password(make_password: Callable[[str], str]) -> str:
    """One hash for the whole cast: hashing is slow on purpose."""
    if not _hashes:
        _hashes.append(make_password(PASSWORD))
    return _hashes[0]


class SocketClient:
    """A socket's other end. Keeps every frame in ``frames``, in order."""

    hello: dict[str, Any]

    def __init__(self, ws: websockets.ClientConnection) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self._refs = itertools.count(1)
        self._taken = 0

    async def send(self, kind: str, **fields: Any) -> None:
        await self.ws.send(json.dumps({"type": kind, **fields}))

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Sends a frame and returns the answer to it, ``ok`` or ``error``."""
        ref = f"ref-{next(self._refs)}"
        await self.send(kind, ref=ref, **fields)
        return await self.until(lambda frame: frame.get("ref") == ref)

    async def event(self, kind: str, timeout: float = 10, **fields: Any) -> dict[str, Any]:
        """The next event of a type whose fields have these values, from where one last looked."""

        def matches(frame: dict[str, Any]) -> bool:
            return frame["type"] == kind and all(
                frame.get(name) == value for name, value in fields.items()
            )

        return await self.until(matches, timeout)

    async def until(
        self, matches: Callable[[dict[str, Any]], bool], timeout: float = 10
    ) -> dict[str, Any]:
        for frame in self.frames[self._taken :]:
            if matches(frame):
                self._taken = self.frames.index(frame, self._taken) + 1
                return frame
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            frame = json.loads(await _within(left, self.ws.recv()))
            self.frames.append(frame)
            if matches(frame):
                self._taken = len(self.frames)
                return frame

    async def settle(self, seconds: float = 0.3) -> None:
        """Takes in what comes, until nothing has come for a while."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.frames.append(json.loads(await _within(seconds, self.ws.recv())))

    def of_type(self, *kinds: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in kinds]

    async def close_code(self, timeout: float = 15) -> int | None:
        """Reads until the server closes, and says with which code."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                self.frames.append(json.loads(await _within(timeout, self.ws.recv())))
        return self.ws.close_code


async def _within(seconds: float, work: Any) -> Any:
    import asyncio

    return await asyncio.wait_for(work, max(seconds, 0))


@pytest.fixture
def person(server: Server) -> Iterator[Callable[..., Person]]:
    """Makes people of a test's own: ``person("dora")``."""
    made: list[Person] = []

    def make(name: str, **facts: Any) -> Person:
        made.append(Person(server, name, **facts))
        return made[-1]

    yield make
    for one in made:
        one.rest.close()


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    """Owns the chats."""
    return person("alice")


@pytest.fixture
def bob(person: Callable[..., Person]) -> Person:
    """A member of them."""
    return person("bob")


@pytest.fixture
def carol(person: Callable[..., Person]) -> Person:
    """An admin of them, once she is made one."""
    return person("carol")


@pytest.fixture
def mallory(person: Callable[..., Person]) -> Person:
    """A signed-in stranger."""
    return person("mallory")


@pytest.fixture
def robot(person: Callable[..., Person]) -> Person:
    return person("robot", is_bot=True)


@pytest.fixture
def group(alice: Person, bob: Person) -> dict[str, Any]:
    """Alice's group, with Bob in it; Mallory is not."""
    return alice.group_with(bob)


# Browsers


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=[
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-gpu",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser profile of its own, signed in as somebody or not.

    At the end nothing may have been written to its console as an error.
    """
    contexts: list[Any] = []
    errors: list[str] = []

    def open_one(who: Person | None = None, path: str = "/", **options: Any) -> Any:
        context = browser.new_context(base_url=server.url, **options)
        contexts.append(context)
        if who:
            context.add_cookies(
                [{"name": "sessionid", "value": _web_session(who), "url": server.url}]
            )
        page = context.new_page()
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.errors = errors
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def _web_session(who: Person) -> str:
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.access import SESSION_KEY
    from accounts.actions import start_sign_in

    session = SessionStore()
    session[SESSION_KEY] = str(start_sign_in(user=who.user, kind="web").id)
    session.create()
    key: str = session.session_key
    return key
