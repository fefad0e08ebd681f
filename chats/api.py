"""REST of chats and of the seats in them."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from chatproject.api import checked
from chatproject.errors import Invalid, NotThere
from chatproject.fields import parse_uuid
from chatproject.operations import PAGED, Parameter, operation, page_of
from chatproject.rest import Cursor, text_parameter
from chatproject.schemas import TEXT, list_of, object_of, ref
from chatproject.snapshots import snapshot
from chats import access, actions
from chats.models import Chat, Membership
from chats.serializers import (
    ChatChangeSerializer,
    NewChatSerializer,
    NewMembersSerializer,
    ReadSerializer,
    RoleSerializer,
    UnreadSerializer,
    chat_documents,
    chat_seen_by,
    me_seen_by,
    member_documents,
)

MAX_WITH = 20


def people_named(user_ids: list[UUID], attr: str) -> list[User]:
    """The users of a request's body. Raises Invalid where one is unknown."""
    try:
        return access.people(user_ids)
    except NotThere:
        raise Invalid("Somebody here is unknown.", code="does_not_exist", attr=attr) from None


class ChatCursor(Cursor):
    ordering = ("-active_at", "-id")


class MemberCursor(Cursor):
    ordering = ("joined_at", "id")


class ChatsView(APIView):
    @operation(
        "One's chats",
        answers={200: page_of("Chat")},
        parameters=[
            Parameter(
                "with", "Only those that all of these are in: up to 20 ids and commas.", TEXT
            ),
            *PAGED,
        ],
        text="Latest activity first.",
    )
    @snapshot()
    def get(self, request: Request) -> Response:
        pages = ChatCursor()
        chats = Chat.objects.of(request.user).with_all(_people_with(request))
        page = pages.paginate_queryset(chats.values("id", "active_at"), request, self)
        ids = [chat["id"] for chat in page]
        return pages.get_paginated_response(chat_documents(request.user, ids))

    @operation(
        "Open a direct chat or make a group",
        body=NewChatSerializer,
        answers={200: ref("Chat"), 201: ref("Chat")},
        text="A direct chat names one other person in `members`; 200 is the chat that this pair "
        "already has. A group has a `name`; the caller is added, as owner.",
    )
    def post(self, request: Request) -> Response:
        given = checked(NewChatSerializer, request)
        people = people_named(given["members"], "members")
        chat, is_new = _create(request.user, given, people)
        return Response(chat_seen_by(request.user, chat.id), 201 if is_new else 200)


def _create(actor: User, given: dict[str, Any], people: list[User]) -> tuple[Chat, bool]:
    if given["type"] == Chat.Type.DIRECT:
        return actions.create_direct_chat(actor=actor, peer=people[0])
    return actions.create_group(actor=actor, name=given["name"], members=people), True


def _people_with(request: Request) -> list[UUID]:
    values = [value for value in text_parameter(request, "with").split(",") if value]
    ids = [found for value in values if (found := parse_uuid(value))]
    if len(ids) < len(values) or len(ids) > MAX_WITH:
        raise Invalid("Up to 20 ids of people.", attr="with")
    return ids


class ChatView(APIView):
    @operation("One chat", answers={200: ref("Chat")})
    def get(self, request: Request, chat_id: UUID) -> Response:
        return Response(chat_seen_by(request.user, chat_id))

    @operation(
        "Change a chat, or one's own settings in it",
        body=ChatChangeSerializer,
        answers={200: ref("Chat")},
        text="Name and topic are for admins and owners, `me` for everybody.",
    )
    def patch(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        given = checked(ChatChangeSerializer, request)
        own = given.pop("me", None)
        if given:
            actions.update_chat(actor=request.user, chat=chat, **given)
        if own:
            actions.change_own_settings(actor=request.user, chat=chat, **own)
        return Response(chat_seen_by(request.user, chat_id))

    @operation("Delete a group", answers={204: None}, text="For owners.")
    def delete(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        actions.delete_chat(actor=request.user, chat=chat)
        return Response(status=204)


class MembersView(APIView):
    @operation("Who is in a chat", answers={200: page_of("Member")}, parameters=PAGED)
    def get(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        pages = MemberCursor()
        rows = Membership.objects.present().filter(chat=chat).select_related("user")
        page = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(member_documents(chat, page))

    @operation(
        "Add people to a group",
        body=NewMembersSerializer,
        answers={200: object_of(results=list_of(ref("Member")))},
        text="For admins and owners. Adding who is there changes nothing.",
        errors=[409],
    )
    def post(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        users = people_named(checked(NewMembersSerializer, request)["user_ids"], "user_ids")
        seats = actions.add_members(actor=request.user, chat=chat, users=users)
        return Response({"results": member_documents(chat, seats)})


class MemberView(APIView):
    @operation(
        "Give somebody a role",
        body=RoleSerializer,
        answers={200: ref("Member")},
        text="For owners.",
        errors=[409],
    )
    def patch(self, request: Request, chat_id: UUID, user_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        role = checked(RoleSerializer, request)["role"]
        seat = actions.set_role(actor=request.user, chat=chat, user_id=user_id, role=role)
        return Response(member_documents(chat, [seat])[0])

    @operation("Remove somebody, or leave", answers={204: None})
    def delete(self, request: Request, chat_id: UUID, user_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        actions.remove_member(actor=request.user, chat=chat, user_id=user_id)
        return Response(status=204)


class ReadView(APIView):
    @operation(
        "Mark as read up to a message",
        body=ReadSerializer,
        answers={200: ref("Me")},
        text="Forward only; the way back is `unread`.",
    )
    def post(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        seq = checked(ReadSerializer, request)["seq"]
        actions.mark_read(actor=request.user, chat=chat, seq=seq)
        return Response(me_seen_by(request.user, chat_id))


class UnreadView(APIView):
    @operation(
        "Mark as unread from a message on",
        body=UnreadSerializer,
        answers={200: ref("Me")},
        text="`seq` becomes the first unread; above the mark it changes nothing.",
    )
    def post(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        seq = checked(UnreadSerializer, request)["seq"]
        actions.mark_unread(actor=request.user, chat=chat, seq=seq)
        return Response(me_seen_by(request.user, chat_id))
