"""Holds every frame that a test sends and gets against the AsyncAPI document."""

import json
from functools import cache
from typing import Any

import jsonschema_rs

from chatproject.testing.contract import closed


class Dialogue:
    """What was asked over one socket, by ``ref``, and so what may be answered."""

    def __init__(self) -> None:
        self._asked: dict[str, dict[str, Any]] = {}

    def sent(self, data: str | bytes) -> None:
        frame = read_json(data)
        if isinstance(frame, dict) and isinstance(frame.get("ref"), str):
            self._asked[frame["ref"]] = frame

    def received(self, data: str | bytes) -> dict[str, Any]:
        """The frame; raises AssertionError unless the document has it."""
        assert isinstance(data, str), "the server sent a binary frame"
        frame: dict[str, Any] = json.loads(data)
        fault = self._fault(frame)
        assert fault is None, f"{fault} in {data[:1000]}"
        return frame

    def _fault(self, frame: dict[str, Any]) -> str | None:
        kind, asked = frame.get("type"), self._asked.get(str(frame.get("ref")))
        if "ref" in frame and asked is None:
            return "nobody asked this"
        if kind == "error":
            return fault_of("error", frame)
        if kind != "ok" or asked is None:
            return fault_of(f"event.{kind}", frame)
        name = asked["type"]
        not_to_be_taken = fault_of(f"frame.{name}", asked)
        if not_to_be_taken:
            return f"ok, to a frame in which {not_to_be_taken}"
        return fault_of(f"ok.{name}", frame)


def read_json(data: str | bytes) -> Any:
    """What a frame says, however large its numbers; None where it is no JSON."""
    try:
        return json.loads(data, parse_int=_number, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def fault_of(name: str, frame: Any) -> str | None:
    """What is wrong with a frame by the document, which has its message under this name."""
    validator = _validators().get(name)
    if validator is None:
        return f"the document has no {name}"
    for error in validator.iter_errors(frame):
        return f"{'.'.join(map(str, error.instance_path)) or 'it'}: {error.message[:500]}"
    return None


@cache
def _validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    from messaging.asyncapi import document

    components = document()["components"]
    shared = {"components": {"schemas": closed(components["schemas"])}}
    return {
        name: jsonschema_rs.Draft202012Validator(
            _as_sent(name, message["payload"]) | shared, validate_formats=True
        )
        for name, message in components["messages"].items()
    }


def _as_sent(name: str, payload: Any) -> Any:
    """Clients may say more than they have to; the server says what is described."""
    return payload if name.startswith("frame.") else closed(payload)
