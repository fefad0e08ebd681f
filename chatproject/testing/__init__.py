"""The test cast and its stage: a real server process, people with tokens, sockets, browsers.

A pytest plugin, loaded (``-p chatproject.testing``) before Django reads the environment. Each
worker has an installation of its own, shared by its tests and the server under test; nothing is
emptied between tests, as nothing is in real life: every test brings people of its own.
"""

import functools
import inspect
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from chatproject.testing.answers import error_of
from chatproject.testing.cast import PASSWORD, Newcomer, Person, rest_client, web_session
from chatproject.testing.held import Held, Hold
from chatproject.testing.proxy import Proxy
from chatproject.testing.sockets import SocketClient
from chatproject.testing.stage import (
    IS_SERVICES,
    Server,
    another_installation,
    empty_installation,
    keep_as_migrated,
    prepare,
)

__all__ = [
    "CHROMIUM",
    "IS_SERVICES",
    "PASSWORD",
    "Held",
    "Hold",
    "Newcomer",
    "Person",
    "Proxy",
    "Server",
    "SocketClient",
    "another_installation",
    "empty_installation",
    "error_of",
    "expect_error",
    "rest_client",
    "tidily",
]

T = TypeVar("T")

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
EXPECTED_WITHIN = 15
"""Seconds in which a browser has to show something, on a machine that others use, too."""
LONGEST = (
    "chaos_run two_workers law machine page_scroll page_axe page_live page_outbox"
    " page_reading page_rows page_offline page_messages page_details page_keyboard rates"
    " sign_in_limits restart example_client restoring database_away redis_away serving"
    " bad_input page_rates pages openapi_fuzz slow_readers admin permissions"
    " frame_and_page_permissions shut_out presence killed_worker api_tour events registration"
    " generated_frames sync posting"
).split()
"""Files that begin first, or the others would be done and wait for them."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is of one profile is not tried on the other."""
    other = "embedded" if IS_SERVICES else "services"
    others = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if not item.get_closest_marker(other)]
    items.sort(key=_turn)
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _giving_back(item.obj)


def _turn(item: pytest.Item) -> int:
    name = item.path.stem.removeprefix("test_")
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def _giving_back(test: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine has a database connection of its own, which nobody else could give back."""

    @functools.wraps(test)
    async def giving_back(*args: Any, **kwargs: Any) -> None:
        try:
            await test(*args, **kwargs)
        finally:
            _release()

    return giving_back


@pytest.fixture(scope="session")
def installation(django_db_blocker: Any) -> Iterator[None]:
    """The worker's database, brought up to date and open to the test process, too."""
    from django.core.management import call_command

    prepare()
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0, interactive=False)
        keep_as_migrated()
        yield


@pytest.fixture(scope="session")
def django_db_setup(installation: None) -> None:
    """Tests work on the installation itself, as the server does."""


@pytest.fixture(autouse=True)
def _given_back() -> Iterator[None]:
    """While a browser's loop runs, each test has a connection of its own, too."""
    yield
    _release()


@pytest.fixture(autouse=True, scope="module")
def _all_given_back(installation: None) -> Iterator[None]:
    """A thread that ends with a connection of the pool leaves one less to all tests after it."""
    before = _lent_out()
    yield
    deadline = time.monotonic() + 5
    while _lent_out() > before:
        assert time.monotonic() < deadline, "threads that kept a connection: run them ``tidily``"
        time.sleep(0.05)


def _lent_out() -> int:
    from django.db import connection

    _release()
    if connection.vendor != "postgresql":
        return 0
    stats: dict[str, int] = connection.pool.get_stats()  # type: ignore[attr-defined]
    return stats["pool_size"] - stats["pool_available"]


def tidily(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """For a thread of a test's own that asks the database."""
    try:
        return work(*args, **kwargs)
    finally:
        _release()


def _release() -> None:
    from chatproject.pools import release_connection

    release_connection()


@pytest.fixture(scope="session")
def server(installation: None) -> Iterator[Server]:
    """One server for all tests of a worker."""
    yield from _running(Server())


@pytest.fixture
def own_environment(installation: None, tmp_path: Path) -> dict[str, str]:
    """What ``own_server`` is started with; a module may say more."""
    return another_installation(tmp_path)


@pytest.fixture
def own_server(installation: None, own_environment: dict[str, str]) -> Iterator[Server]:
    """A server with an installation of its own, to be ended as a test likes."""
    yield from _running(Server(**own_environment))


@pytest.fixture(scope="module")
def strict_server(installation: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that limits rates, with an installation of its own for the tests of one module.

    It believes ``X-Forwarded-For``, so that tests come from as many addresses as they like.
    """
    place = another_installation(tmp_path_factory.mktemp("strict"))
    yield from _running(Server(**place, RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1"))


def _running(server: Server) -> Iterator[Server]:
    """At the end its log holds no error."""
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()
    log = server.log.read_text()
    assert "Traceback" not in log, log
    assert " ERROR " not in log, log


@pytest.fixture
def newcomer(strict_server: Server) -> Iterator[Callable[[str], Newcomer]]:
    """Makes people on it."""
    yield from _registering(strict_server)


def _registering(server: Server) -> Iterator[Callable[[str], Newcomer]]:
    made: list[Newcomer] = []

    def make(name: str) -> Newcomer:
        made.append(Newcomer(server, name))
        return made[-1]

    yield make
    for one in made:
        one.rest.close()


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
def anybody(server: Server) -> Iterator[httpx.Client]:
    """A REST client that is not signed in."""
    with rest_client(server) as client:
        yield client


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


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    """Holds each call of a module's function open from now on, until the test lets it go."""
    made: list[Held] = []

    def hold_one(module: Any, name: str) -> Held:
        made.append(Held(getattr(module, name)))
        monkeypatch.setattr(module, name, made[-1])
        return made[-1]

    yield hold_one
    for one in made:
        one.let_go(100)


# Browsers


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium for the tests of one module: while it is there, its event loop runs.

    So no test of that module can be a coroutine.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=EXPECTED_WITHIN * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
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
    expected: list[str] = []

    def note(line: Any) -> None:
        if line.type == "error":
            errors.append(f"{line.text} ({line.location['url']})")

    def open_one(who: Person | None = None, path: str = "/", **options: Any) -> Any:
        options = {"base_url": server.url, "service_workers": "block", **options}
        context = browser.new_context(**options)
        contexts.append(context)
        if who:
            context.add_cookies(
                [{"name": "sessionid", "value": web_session(who), "url": server.url}]
            )
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.expected_errors = expected
        _open_greeted(page, path, has_script=options.get("java_script_enabled", True))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [line for line in errors if not any(text in line for text in expected)] == []


def expect_error(page: Any, text: str) -> None:
    """What the test itself brings about, a browser may write to its console."""
    page.expected_errors.append(text)


@pytest.fixture(scope="module")
def _far(
    installation: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Proxy]]:
    proxy = Proxy()
    place = another_installation(tmp_path_factory.mktemp("far"))
    for server in _running(Server(**place, PUBLIC_URL=proxy.url)):
        yield server, proxy


@pytest.fixture
def proxy(_far: tuple[Server, Proxy]) -> Iterator[Proxy]:
    """The network in front of ``far_server``."""
    server, proxy = _far
    proxy.start(server.port)
    yield proxy
    proxy.cut()


@pytest.fixture
def far_server(_far: tuple[Server, Proxy], proxy: Proxy) -> Server:
    """A server for the tests of one module, that browsers reach through the proxy alone."""
    server, _ = _far
    if server.process.poll() is not None:
        server.start()
    return server


@pytest.fixture
def far_person(far_server: Server) -> Iterator[Callable[[str], Newcomer]]:
    """Makes people on it."""
    yield from _registering(far_server)


def _open_greeted(page: Any, path: str, *, has_script: bool) -> None:
    """Until its socket hears all: what happens before that passes a page by, typing for one."""
    seen: list[Any] = []

    def watch(socket: Any) -> None:
        seen.append(socket)
        socket.once("framereceived", lambda frame: seen.append(frame))

    page.once("websocket", watch)
    page.goto(path)
    deadline = time.monotonic() + EXPECTED_WITHIN
    connects = has_script and page.locator("script[src*='/js/app']").count() > 0
    while connects and len(seen) < 2 and not (seen and seen[0].is_closed()):
        assert time.monotonic() < deadline, "the page does not connect"
        page.wait_for_timeout(5)
