"""REST addresses of chats."""

from django.urls import path

from chats import api

urlpatterns = [
    path("chats", api.ChatsView.as_view()),
    path("chats/<uuid:chat_id>", api.ChatView.as_view()),
    path("chats/<uuid:chat_id>/members", api.MembersView.as_view()),
    path("chats/<uuid:chat_id>/members/<uuid:user_id>", api.MemberView.as_view()),
    path("chats/<uuid:chat_id>/read", api.ReadView.as_view()),
    path("chats/<uuid:chat_id>/unread", api.UnreadView.as_view()),
]
