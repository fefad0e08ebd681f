"""Whether the server lives, and whether it can work."""

import shutil

from django.conf import settings
from django.db import DatabaseError, connection
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.api import PublicView
from chatproject.draining import drain
from chatproject.listener import listener
from chatproject.operations import operation
from chatproject.schemas import object_of, one_of

MIN_FREE_SHARE = 0.05


_STATE = one_of(["ok", "degraded", "down"])
_READINESS = object_of(database=_STATE, layer=_STATE, disk=_STATE)


class HealthView(PublicView):
    @operation("Whether the server lives", answers={200: object_of(status=one_of(["ok"]))})
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(PublicView):
    @operation(
        "Whether the server can work",
        answers={200: _READINESS, 503: _READINESS},
        text="503 while the database is away or the server drains; the rest is only named.",
    )
    def get(self, request: Request) -> Response:
        layer = "degraded" if listener.is_deaf else "ok"
        state = {"database": _database(), "layer": layer, "disk": _disk()}
        is_ready = state["database"] == "ok" and not drain.has_begun
        return Response(state, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "ok"


def _disk() -> str:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return "ok" if usage.free > MIN_FREE_SHARE * usage.total else "degraded"
