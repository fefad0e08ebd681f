"""JSON Schema in short: the words in which each app describes what it sends."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
    "examples": ["2026-11-22T09:30:00.000000Z"],
}
TEXT: Schema = {"type": "string"}
URL: Schema = {"type": "string", "format": "uri-reference"}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer", "minimum": 1}
"""``seq`` and ``version``: 1, 2, 3 …"""


def object_of(*, optional: Iterable[str] = (), **properties: Schema) -> Schema:
    """An object with these properties, of which none is missing but the optional.

    A later release may add some; the tests know that this one does not.
    """
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def one_of(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(values)}


def ref(name: str) -> Schema:
    """A component, by the name under which OpenAPI and AsyncAPI both hold it."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def described(text: str, schema: Schema) -> Schema:
    return {"description": text, **schema}


ERROR = described(
    "The one shape of every error.",
    object_of(
        type=one_of(["validation_error", "client_error", "server_error"]),
        errors={
            **list_of(
                object_of(
                    code=described("Stable, and for programs.", TEXT),
                    detail=described("For people.", TEXT),
                    attr=described(
                        "The field to blame; null where none is.", {"type": ["string", "null"]}
                    ),
                    retry_after=described("Seconds to wait.", COUNT),
                    optional=["retry_after"],
                )
            ),
            "minItems": 1,
        },
    ),
)
