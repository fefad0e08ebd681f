"""What is wrong with a request before any action sees it: addresses, methods, types, sizes."""

import asyncio
import contextlib
import json
import shutil

import httpx
import pytest
from django.conf import settings
from django.test import Client

from chatproject import health
from chatproject.testing import Person, Server, error_of

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("path", ["/nothing", "/chatsx", "/api/chats", "/authentic", "/c/nothing"])
def test_other_unknown_addresses_answer_in_html(anybody: httpx.Client, path: str):
    answer = anybody.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_a_body_of_fifteen_levels_in_an_object_is_read(alice: Person):
    body = {"type": "group", "name": "x", "more": json.loads("[" * 15 + "]" * 15)}
    assert alice.rest.post("/chats", json=body).status_code == 201


def json_of_size(size: int) -> bytes:
    frame = b'{"display_name": "Big", "more": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def test_a_body_of_one_mebibyte_is_read(alice: Person):
    answer = alice.rest.patch(
        "/users/me",
        content=json_of_size(MEBIBYTE),
        headers={"Content-Type": "application/json"},
    )
    assert answer.json()["display_name"] == "Big"


def test_a_body_in_chunks_is_read(alice: Person):
    chunks = (part.encode() for part in ('{"display_', 'name": "Bit', ' by bit"}'))
    answer = alice.rest.patch(
        "/users/me", content=chunks, headers={"Content-Type": "application/json"}
    )
    assert answer.json()["display_name"] == "Bit by bit"


def test_a_larger_body_in_chunks_is_413(alice: Person):
    answer = alice.rest.patch(
        "/users/me",
        content=(b"x" * 65_536 for _ in range(17)),
        headers={"Content-Type": "application/json"},
    )
    assert error_of(answer, 413)["code"] == "too_large"


async def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(server: Server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with contextlib.closing(writer):
        writer.write(
            b"POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 268435456\r\n\r\n"
        )
        assert b" 413 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    await writer.wait_closed()


def test_a_foreign_host_is_told_so_in_the_one_shape(installation: None):
    """In this process, for the server's log would hold it as an error."""
    client = Client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/healthz", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0].keys() == {"code", "detail", "attr"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_told_to_anybody(anybody: httpx.Client, method: str):
    assert anybody.request(method, "/healthz").status_code == 200
    ready = anybody.request(method, "/readyz")
    assert ready.status_code == 200
    if method == "GET":
        assert ready.json() == {"database": "ok", "layer": "ok", "disk": ready.json()["disk"]}


def test_a_disk_that_is_nearly_full_is_named_and_no_more(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    """In this process, which can say how much is little."""
    disk = shutil.disk_usage(settings.DATA_DIR)
    for more, named in ((-0.01, "ok"), (0.01, "degraded")):
        monkeypatch.setattr(health, "MIN_FREE_SHARE", disk.free / disk.total + more)
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["disk"]) == (200, named)
