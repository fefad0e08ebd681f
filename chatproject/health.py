"""Whether the server lives, and whether it can work."""

import shutil

from django.conf import settings
from django.db import DatabaseError, connection
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

MIN_FREE_SHARE = 0.05


@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([])
def healthz(request: Request) -> Response:
    return Response({"status": "ok"})


@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([])
def readyz(request: Request) -> Response:
    """503 while the database is away; a full disk is only named."""
    state = {"database": _database(), "layer": "ok", "disk": _disk()}
    return Response(state, status=200 if state["database"] == "ok" else 503)


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
