"""Chats and the seats in them, to look through in the admin."""

from django.contrib import admin
from django.db.models import Prefetch, Q

from accounts.models import User
from chatproject.admin import ReadOnlyAdmin, links, list_of, site, uuid_in
from chats.models import Chat, Membership

SEATS_OF_PAIRS = Prefetch(
    "memberships",
    Membership.objects.filter(chat__type=Chat.Type.DIRECT).select_related("user").order_by("id"),
    to_attr="pair_seats",
)


@admin.register(Chat, site=site)
class ChatAdmin(ReadOnlyAdmin):
    list_display = ("title", "type", "member_count", "last_seq", "active_at", "created_at")
    list_filter = ("type",)
    search_help_text = "Part of a group's name, a whole username, or a chat's id"
    fields = (
        "title",
        "type",
        "topic",
        "created_by",
        "created_at",
        "active_at",
        "member_count",
        "last_seq",
        "version",
        "look_at",
        "id",
    )
    ordering = ("-active_at",)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related(SEATS_OF_PAIRS)

    def find(self, term):
        if chat_id := uuid_in(term):
            return Q(id=chat_id)
        seats = Membership.objects.present().filter(user__in=User.objects.named(term))
        return Q(name__icontains=term) | Q(id__in=seats.values("chat"))

    @admin.display(description="chat")
    def title(self, chat):
        return chat.name or " and ".join(seat.user.display_name for seat in chat.pair_seats)

    @admin.display(description="Look at")
    def look_at(self, chat):
        lists = {"Members": "chats_membership", "Messages": "messaging_message"}
        return links((title, list_of(name, chat.id)) for title, name in lists.items())


@admin.register(Membership, site=site)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "chat", "role", "joined_at", "left_at", "last_read_seq", "notify")
    list_select_related = ("user", "chat")
    search_help_text = "A whole username, or a chat's id"

    def find(self, term):
        if chat_id := uuid_in(term):
            return Q(chat=chat_id)
        return Q(user__in=User.objects.named(term))
