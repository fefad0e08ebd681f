"""Every address of the server."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from chatproject import admin, health
from chatproject.api import API_ROOMS, not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.HealthView.as_view()),
    path("readyz", health.ReadinessView.as_view()),
    path("", include("accounts.api_urls")),
    path("", include("chats.api_urls")),
    path("", include("messaging.api_urls")),
    re_path(rf"^(?:{'|'.join(API_ROOMS)})(?:/[\s\S]*)?\Z", not_found),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("chats.urls")),
    path("", include("messaging.urls")),
]

handler400 = "chatproject.api.bad_request"
handler500 = "chatproject.api.server_error"
