"""How a test reads an answer that is an error."""

from typing import Any

import httpx

KEYS = {"code", "detail", "attr"}


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The first error of an answer with this status, whose shape is the one that all have."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["type"] == _kind_of(status), document
    assert document["errors"], document
    for entry in document["errors"]:
        assert KEYS <= entry.keys() <= KEYS | {"retry_after"}, entry
        assert isinstance(entry["code"], str)
        assert isinstance(entry["detail"], str)
    first: dict[str, Any] = document["errors"][0]
    return first


def _kind_of(status: int) -> str:
    if status == 400:
        return "validation_error"
    return "client_error" if status < 500 else "server_error"
