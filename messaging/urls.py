"""Page addresses of conversations."""

from django.urls import path

from messaging import installing, views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("c/<uuid:chat_id>", views.ChatView.as_view(), name="chat"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("sw.js", installing.worker, name="worker"),
    path("offline", installing.offline, name="offline"),
]
