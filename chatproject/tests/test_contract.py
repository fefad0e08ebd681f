"""The guard that holds answers against the OpenAPI document must itself be able to say no."""

import json
from typing import Any

import httpx
import pytest

from chatproject.testing import Person
from chatproject.testing.contract import check_answer, check_response

ID = "01999999-0000-7000-8000-000000000000"
JSON = {"content-type": "application/json"}
ERROR = {"type": "client_error", "errors": [{"code": "x", "detail": "x", "attr": None}]}
TIME = "2026-11-22T09:30:00.000000Z"
USER = {
    "id": ID,
    "username": "ana",
    "display_name": "Ana",
    "avatar_url": None,
    "is_bot": False,
    "is_online": True,
    "last_seen": None,
    "created_at": TIME,
}


def made(at: str) -> dict[str, Any]:
    return {**USER, "created_at": at}


def page_of(*results: Any) -> dict[str, Any]:
    return {"results": results, "next": "http://x/users?cursor=a", "previous": None}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("method", "path", "status", "document"),
    [
        ("GET", f"/users/{ID}", 200, USER),
        ("HEAD", f"/users/{ID}", 200, None),
        ("GET", f"/users/{ID}", 404, ERROR),
        ("GET", "/users/7", 404, ERROR),
        ("PUT", f"/users/{ID}", 405, ERROR),
        ("GET", f"/users/{ID}", 413, ERROR),
        ("GET", "/users", 200, page_of(USER)),
        ("DELETE", f"/chats/{ID}/messages/{ID}/reactions/%F0%9F%91%8D", 409, ERROR),
        ("GET", "/login", 302, {"anything": "is none of its business"}),
    ],
)
def test_what_the_document_has_passes(method: str, path: str, status: int, document: Any):
    check_answer(method, path, status, JSON, encoded(document))


@pytest.mark.parametrize(
    ("method", "path", "status", "document", "fault"),
    [
        ("GET", f"/users/{ID}", 200, {**USER, "more": 1}, "Additional properties"),
        ("GET", f"/users/{ID}", 200, made("2026-11-22T09:30:00Z"), "created_at"),
        ("GET", f"/users/{ID}", 200, made("2026-13-22T09:30:00.000000Z"), "created_at"),
        ("GET", f"/users/{ID}", 200, {**USER, "id": "7"}, "id: "),
        ("GET", f"/users/{ID}", 200, {**USER, "is_bot": None}, "is_bot"),
        ("GET", f"/users/{ID}", 200, {"id": ID}, "required"),
        ("GET", "/users", 200, page_of({**USER, "is_bot": 0}), "results.0.is_bot"),
        ("GET", f"/users/{ID}", 404, {"detail": "Not found."}, "required"),
        ("GET", f"/users/{ID}", 404, {**ERROR, "errors": []}, "errors"),
        ("GET", f"/users/{ID}", 409, ERROR, "no such answer"),
        ("GET", f"/users/{ID}", 500, ERROR, "no such answer"),
        ("PUT", f"/users/{ID}", 200, USER, "no such answer"),
        ("GET", "/users/7", 200, USER, "unknown address"),
        ("POST", "/auth/logout", 204, {}, "no body"),
    ],
)
def test_what_it_has_not_fails(method: str, path: str, status: int, document: Any, fault: str):
    with pytest.raises(AssertionError, match=fault):
        check_answer(method, path, status, JSON, encoded(document))


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"content-type": "text/html"}, encoded(USER)), (JSON, b"<!doctype html>"), (JSON, b"")],
)
def test_what_is_not_json_fails(headers: dict[str, str], body: bytes):
    with pytest.raises(AssertionError, match=r"is (text/html|not JSON)"):
        check_answer("GET", f"/users/{ID}", 200, headers, body)


def test_the_clients_of_the_cast_carry_the_guard(alice: Person, anybody: httpx.Client):
    assert check_response in alice.rest.event_hooks["response"]
    assert check_response in anybody.event_hooks["response"]
