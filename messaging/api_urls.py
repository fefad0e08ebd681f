"""REST addresses of messages."""

from django.urls import path

from messaging import api, reference

urlpatterns = [
    path("chats/<uuid:chat_id>/messages", api.MessagesView.as_view()),
    path("chats/<uuid:chat_id>/messages/<uuid:message_id>", api.MessageView.as_view()),
    path(
        "chats/<uuid:chat_id>/messages/<uuid:message_id>/reactions/<str:emoji>",
        api.ReactionView.as_view(),
    ),
    path("chats/<uuid:chat_id>/changes", api.ChangesView.as_view()),
    path("schema", reference.SchemaView.as_view()),
    path("schema/ws", reference.SocketSchemaView.as_view()),
    path("docs", reference.DocsView.as_view()),
]
