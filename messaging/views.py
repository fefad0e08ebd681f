"""The page of a conversation, and the list beside it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from rest_framework.exceptions import APIException

from accounts.preferences import preferences_of
from accounts.views import SignedInView
from chatproject.errors import NotThere, with_retry_after
from chatproject.fields import MAX_INTEGER, checked_input
from chatproject.ids import new_id
from chatproject.snapshots import snapshot
from chats.models import Chat, Membership
from chats.serializers import chat_document, member_documents
from chats.views import present_members, seat_or_404, shell_context
from messaging import actions, queries, reading, timeline
from messaging.serializers import SendSerializer

PAGE_SIZE = 50


class HomeView(SignedInView):
    """One's chats."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {**shell_context(request), "epoch": reading.epoch(), "chat": None}
        return render(request, "messaging/chat.html", context)


class ChatView(SignedInView):
    """A conversation. Without a script, links page back and a plain form posts."""

    def get(self, request: HttpRequest, chat_id: UUID) -> HttpResponse:
        return self._show(request, chat_id)

    def _show(
        self, request: HttpRequest, chat_id: UUID, *, draft: str = "", status: int = 200
    ) -> HttpResponse:
        window = _window(request)
        context = {
            **self._read(request, chat_id, window),
            "target_seq": window.get("around"),
            "epoch": reading.epoch(),
            "draft": draft,
            "client_id": new_id(),  # pressing Send twice posts once
        }
        return render(request, "messaging/chat.html", context, status=status)

    @snapshot()
    def _read(self, request: HttpRequest, chat_id: UUID, window: dict[str, Any]) -> dict[str, Any]:
        """A script that starts from this version misses nothing and counts nothing twice."""
        seat = seat_or_404(request.user, chat_id)
        page = queries.page(
            seat.chat, limit=PAGE_SIZE, **(window or _first_unread(request.user, seat))
        )
        return {
            **shell_context(request),
            **_conversation(request.user, seat, page),
            "page": page,
        }

    def post(self, request: Any, chat_id: UUID) -> HttpResponse:
        # A form's newlines come as two characters.
        typed = {key: value.replace("\r\n", "\n") for key, value in request.POST.items()}
        try:
            given = checked_input(SendSerializer, typed)
            said = actions.post_message(
                actor=request.user, sign_in=request.sign_in, chat_id=chat_id, **given
            )
        except NotThere:
            raise Http404 from None
        except APIException as error:
            messages.error(request, f"Not sent. {_first_sentence(error)}")
            draft = typed.get("content", "")
            page = self._show(request, chat_id, draft=draft, status=error.status_code)
            return with_retry_after(page, error)
        # Where much is unread, the chat alone would open at that.
        return redirect(
            f"{reverse('chat', args=[chat_id])}?before={said.message['seq'] + 1}#newest"
        )


def _conversation(user: Any, seat: Membership, page: dict[str, Any]) -> dict[str, Any]:
    chat: Chat = seat.chat
    members = member_documents(chat, present_members(chat))
    return {
        "chat": chat_document(user, chat),
        "members": members,
        "member_groups": _by_presence(members),
        "has_all_members": len(members) == chat.member_count,
        "online_count": sum(member["user"]["is_online"] for member in members),
        "can_manage": seat.can_manage and not chat.is_direct,
        "rows": timeline.rows(
            page["results"],
            reader_id=str(user.id),
            last_read_seq=seat.last_read_seq,
        ),
    }


def _by_presence(members: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The members by name, those who are there first."""
    ordered = sorted(members, key=lambda member: member["user"]["display_name"].casefold())
    online = [member for member in ordered if member["user"]["is_online"]]
    offline = [member for member in ordered if not member["user"]["is_online"]]
    return [(name, group) for name, group in (("Online", online), ("Offline", offline)) if group]


def _window(request: HttpRequest) -> dict[str, int]:
    """Which part of the history: the first of at, before and after that is a number."""
    for name, key, low in (("at", "around", 0), ("before", "before", 1), ("after", "after", 0)):
        value = request.GET.get(name, "")
        if value.isdecimal() and len(value) < 17 and low <= int(value) <= MAX_INTEGER:
            return {key: int(value)}
    return {}


def _first_unread(user: Any, seat: Membership) -> dict[str, int]:
    """Where the reader goes on; the newest page where little is unread, or they want it so."""
    is_behind = seat.chat.last_seq - seat.last_read_seq > PAGE_SIZE
    if not is_behind or preferences_of(user).opens_at_newest:
        return {}
    seq = queries.first_unread_seq(seat)
    return {"around": seq} if seq else {}


def _first_sentence(error: APIException) -> str:
    detail: Any = error.detail
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)
