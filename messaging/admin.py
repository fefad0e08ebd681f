"""Messages, to look through in the admin."""

from django.contrib import admin
from django.db.models import Q

from accounts.models import User
from chatproject.admin import ReadOnlyAdmin, site, uuid_in
from messaging.formatting import preview
from messaging.models import Message

EXCERPT_CHARS = 80


@admin.register(Message, site=site)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("excerpt", "sender", "chat", "seq", "message_type", "created_at", "deleted_at")
    list_select_related = ("sender", "chat")
    search_help_text = "Who sent it (a whole username), or a chat's id"
    fields = (
        "content",
        "sender",
        "chat",
        "seq",
        "version",
        "message_type",
        "reply_to",
        "mentions",
        "system",
        "created_at",
        "edited_at",
        "deleted_at",
        "id",
    )

    def find(self, term):
        if chat_id := uuid_in(term):
            return Q(chat=chat_id)
        return Q(sender__in=User.objects.named(term))

    def get_ordering(self, request):
        """Of one chat by seq, for which there is an index; else the newest first."""
        return ("-seq",) if uuid_in(request.GET.get("q", "").strip()) else ("-id",)

    @admin.display(description="message")
    def excerpt(self, message):
        return preview(message.content, EXCERPT_CHARS) or "(deleted)"
