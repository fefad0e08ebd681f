"""Page addresses of conversations."""

from django.urls import path

from messaging import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("c/<uuid:chat_id>", views.ChatView.as_view(), name="chat"),
]
