"""What is wrong with a request before any action sees it: addresses, methods, types, sizes."""

import asyncio
import contextlib
import json
from typing import Any

import httpx
import pytest
from django.test import Client

from chatproject.testing import Person, Server, error_of

MEBIBYTE = 1024 * 1024
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/auth",
        "/auth/nothing",
        "/users/",
        "/users/not-an-id",
        "/users/me/",
        "/chats/",
        "/chats/7",
        f"/chats/{NOBODY}/nothing",
        f"/chats/{NOBODY.upper()}x",
        "/chats/a%0Ab",
        "/chats/%ff",
        "/schema/nothing",
        "/docs/nothing",
        "/healthz/",
        "/readyz/nothing",
        "/ws",
        "/ws/",
    ],
)
def test_an_unknown_address_of_the_api_answers_in_json(
    anybody: httpx.Client, method: str, path: str
):
    assert error_of(anybody.request(method, path), 404)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/nothing", "/chatsx", "/api/chats", "/authentic", "/c/nothing"])
def test_other_unknown_addresses_answer_in_html(anybody: httpx.Client, path: str):
    answer = anybody.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/register"),
        ("GET", "/auth/login"),
        ("PUT", "/auth/refresh"),
        ("DELETE", "/auth/logout"),
        ("GET", "/auth/password"),
        ("POST", "/users"),
        ("DELETE", "/users/me"),
        ("PATCH", "/users/{me}"),
        ("DELETE", "/chats"),
        ("PUT", "/chats/{chat}"),
        ("DELETE", "/chats/{chat}/members"),
        ("GET", "/chats/{chat}/members/{me}"),
        ("DELETE", "/chats/{chat}/messages"),
        ("GET", "/chats/{chat}/read"),
        ("GET", "/chats/{chat}/unread"),
        ("POST", "/chats/{chat}/changes"),
        ("POST", "/healthz"),
        ("POST", "/readyz"),
    ],
)
def test_a_method_that_an_address_lacks_is_405(
    alice: Person, group: dict[str, Any], method: str, path: str
):
    answer = alice.rest.request(method, path.format(chat=group["id"], me=alice.id))
    assert error_of(answer, 405)["code"] == "method_not_allowed"
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    ["/users", "/users/me", f"/users/{NOBODY}", "/chats", f"/chats/{NOBODY}/messages"],
)
def test_nobody_gets_anything_without_signing_in(anybody: httpx.Client, path: str):
    answer = anybody.get(path)
    assert error_of(answer, 401)["code"] == "not_authenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "nonsense",
    ],
)
def test_a_body_that_is_not_json_is_415(alice: Person, content_type: str):
    before = alice.rest.get("/users/me").json()
    answer = alice.rest.patch(
        "/users/me", content=b'{"display_name": "X"}', headers={"Content-Type": content_type}
    )
    assert error_of(answer, 415)["code"] == "unsupported_media_type"
    assert alice.rest.get("/users/me").json() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b'{"type": "group", "name": NaN}',
        b'{"type": "group", "name": "\xff"}',
        b'{"type": "group", "name": "\\ud800"}',
        b'{"type": "group", "name": "x", "more": 9007199254740993}',
        b'{"type": "group", "name": "x", "more": -9007199254740993}',
        b'{"type": "group", "name": "x", "more": ' + b"9" * 4000 + b"}",
        b'{"type": "group", "name": "x", "more": ' + b"[" * 16 + b"]" * 16 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_no_object_of_bounded_json_is_400(alice: Person, body: bytes):
    answer = alice.rest.post("/chats", content=body, headers={"Content-Type": "application/json"})
    error_of(answer, 400)
    assert alice.rest.get("/chats").json()["results"] == []


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


@pytest.mark.parametrize("path", ["/users/me", "/auth/login", "/chats/nothing", "/nothing"])
def test_a_larger_body_is_413_everywhere(alice: Person, path: str):
    answer = alice.rest.patch(
        path,
        content=json_of_size(MEBIBYTE + 1),
        headers={"Content-Type": "application/json"},
    )
    assert error_of(answer, 413)["code"] == "too_large"
    assert alice.rest.get("/users/me").json()["display_name"] == "Alice"


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
