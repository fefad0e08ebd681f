"""Page addresses of chats."""

from django.urls import path

from chats import views

urlpatterns = [
    path("new", views.NewChatView.as_view(), name="new-chat"),
    path("c/<uuid:chat_id>/settings", views.ChatSettingsView.as_view(), name="chat-settings"),
]
