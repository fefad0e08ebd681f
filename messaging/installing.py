"""What makes the page an app: its manifest, its service worker, its page without a connection."""

import functools
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

GROUND = "#f4f5f8"
ICONS = {"192": "any", "512": "any", "512-maskable": "maskable"}
UNUSED = {"docs.js"}
"""No part of the page itself."""


def manifest(request: HttpRequest) -> HttpResponse:
    facts: dict[str, Any] = {
        "id": "/",
        "name": settings.SITE_NAME,
        "short_name": settings.SITE_NAME,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [_icon(name, purpose) for name, purpose in ICONS.items()],
    }
    return JsonResponse(facts, content_type="application/manifest+json")


def _icon(name: str, purpose: str) -> dict[str, str]:
    side = name.partition("-")[0]
    address = static(f"icons/icon-{name}.png")
    return {"src": address, "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}


def worker(request: HttpRequest) -> HttpResponse:
    """Another text with each release, which is how browsers learn of one."""
    if settings.DEBUG:
        raise Http404  # it would show yesterday's scripts
    build = {
        "release": settings.RELEASE,
        "static": settings.STATIC_URL,
        "offline": reverse("offline"),
        "files": [static(name) for name in _files()],
    }
    answer = render(request, "sw.js", {"build": build}, content_type="text/javascript")
    answer["Cache-Control"] = "no-cache"
    return answer


@functools.cache
def _files() -> list[str]:
    """All that the page may come to need, of the release that runs."""
    names = sorted(path.name for path in (settings.STATIC_ROOT / "js").glob("*.js"))
    return ["css/chat.css", "favicon.svg", *(f"js/{name}" for name in names if name not in UNUSED)]


def offline(request: HttpRequest) -> HttpResponse:
    """For browsers to keep, and to show where they have kept nothing else."""
    return render(request, "offline.html")
