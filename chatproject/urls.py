"""Every address of the server."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from chatproject import health
from chatproject.api import not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("accounts.api_urls")),
    path("", include("chats.api_urls")),
    path("", include("messaging.api_urls")),
    re_path(r"^(auth|users|chats|schema|docs|healthz|readyz|ws)(/.*)?$", not_found),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("chats.urls")),
    path("", include("messaging.urls")),
]
