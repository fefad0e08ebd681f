"""A PostgreSQL that is killed: nobody is thrown out, and all goes on once it is back."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import websockets

from chatproject.testing import Server, another_installation, error_of
from chatproject.testing.services import PostgresServer
from messaging.tests.test_restart import Account

pytestmark = pytest.mark.services

BACK_SECONDS = 10


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    own = PostgresServer()
    own.start()
    yield own
    own.kill()


@pytest.fixture
def own_environment(tmp_path: Path, own_postgres: PostgresServer) -> dict[str, str]:
    with psycopg.connect(own_postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE chat")
    url = own_postgres.url.removesuffix("postgres") + "chat"
    return another_installation(tmp_path) | {"DATABASE_URL": url}


async def test_a_killed_database_costs_time_and_nothing_else(
    own_server: Server, own_postgres: PostgresServer
):
    ana, ben = Account(own_server, "ana"), Account(own_server, "ben")
    chat = ana.call("POST", "/chats", json={"type": "direct", "members": [ben.id]})
    messages = f"{own_server.url}/chats/{chat['id']}/messages"
    send: dict[str, Any] = {"content": "meanwhile", "client_id": "once"}
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(ben.socket()) for _ in range(4)]
        ana.call("POST", f"/chats/{chat['id']}/messages", json={"content": "before"})
        own_postgres.kill()

        async with httpx.AsyncClient(headers=ana.headers, timeout=30) as client:
            refused = await client.post(messages, json=send)
            assert error_of(refused, 503)["code"] == "try_again"
            assert int(refused.headers["Retry-After"]) >= 1
            assert error_of(await client.get(messages), 503)["retry_after"] >= 1
            assert (await client.get(f"{own_server.url}/healthz")).status_code == 200
            readiness = await client.get(f"{own_server.url}/readyz")
            assert (readiness.status_code, readiness.json()["database"]) == (503, "down")
            answer = await sockets[0].ask("message.send", chat_id=chat["id"], **send)
            assert answer["errors"][0]["code"] == "try_again"
            url = f"{own_server.url}/ws".replace("http", "ws")
            async with websockets.connect(url, additional_headers=ben.headers) as refused_socket:
                with contextlib.suppress(websockets.ConnectionClosed):
                    await refused_socket.recv()
                assert refused_socket.close_code == 1012

            await asyncio.to_thread(own_postgres.start)
            back_at = time.monotonic()
            while (answered := await client.post(messages, json=send)).status_code == 503:
                assert time.monotonic() - back_at < BACK_SECONDS
            assert answered.status_code == 201
            assert (await client.post(messages, json=send)).json() == answered.json()

        said = answered.json()
        for socket in sockets:
            left = back_at + 15 - time.monotonic()
            await socket.event("message.created", timeout=left, version=said["version"])
            assert (await socket.ask("ping"))["type"] == "ok"
            told = [one["version"] for one in socket.of_type("message.created")]
            assert told == [said["version"] - 1, said["version"]]


async def test_a_page_says_so_in_its_own_words(own_server: Server, own_postgres: PostgresServer):
    own_postgres.kill()
    async with httpx.AsyncClient(base_url=own_server.url, timeout=30) as client:
        client.cookies.set("sessionid", "somebody")
        page = await client.get("/")
    assert page.status_code == 503
    assert "Back in a moment" in page.text
    own_postgres.start()
