"""Page addresses of chats."""

from django.urls import path

from chats import views

urlpatterns = [
    path("setup", views.SetupView.as_view(), name="setup"),
    path("new", views.NewChatView.as_view(), name="new-chat"),
    path("c/<uuid:chat_id>/settings", views.ChatSettingsView.as_view(), name="chat-settings"),
]
