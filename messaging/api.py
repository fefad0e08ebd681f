"""REST of messages."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatproject.api import checked
from chatproject.errors import Invalid
from chatproject.fields import checked_input
from chatproject.operations import LIMIT, Parameter, operation, whole_number
from chatproject.rest import integer_parameter, limit_parameter
from chatproject.schemas import BOOLEAN, list_of, object_of, ref
from chatproject.snapshots import snapshot
from chats import access
from chats.serializers import chat_document
from messaging import actions, changes, queries
from messaging.serializers import EditSerializer, EmojiSerializer, SendSerializer

_PAGE = object_of(results=list_of(ref("Message")), has_before=BOOLEAN, has_after=BOOLEAN)


class MessagesView(APIView):
    @operation(
        "A page of messages",
        answers={200: _PAGE},
        parameters=[
            Parameter("before", "Below this seq.", whole_number(1)),
            Parameter("after", "Above this seq.", whole_number(0)),
            Parameter("around", "Around this seq.", whole_number(0)),
            LIMIT,
        ],
        text="By rising seq. One of before, after and around; without them, the newest page.",
    )
    def get(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        return Response(queries.page(chat, **_window(request)))

    @operation(
        "Send a message",
        body=SendSerializer,
        answers={200: ref("Message"), 201: ref("Message")},
        text="Answered once it is on disk. With a `client_id` that this sender used in this chat "
        "before, 200 is the message stored then, whatever the content.",
    )
    def post(self, request: Request, chat_id: UUID) -> Response:
        given = checked(SendSerializer, request)
        posted = actions.post_message(
            actor=request.user,
            sign_in=request.auth,
            chat_id=chat_id,
            content=given["content"],
            client_id=given.get("client_id"),
            reply_to=given.get("reply_to"),
        )
        return Response(posted.message, 201 if posted.is_new else 200)


def _window(request: Request) -> dict[str, Any]:
    bounds = {"before": 1, "after": 0, "around": 0}
    given = {name: integer_parameter(request, name, low=low) for name, low in bounds.items()}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise Invalid("One of before, after and around.", attr=named[1])
    return {**given, "limit": limit_parameter(request)}


class MessageView(APIView):
    @operation(
        "Edit one's own message",
        body=EditSerializer,
        answers={200: ref("Message")},
        errors=[409],
        text="A deleted one can't be edited (409).",
    )
    def patch(self, request: Request, chat_id: UUID, message_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        content = checked(EditSerializer, request)["content"]
        return Response(
            actions.edit_message(
                actor=request.user, chat=chat, message_id=message_id, content=content
            )
        )

    @operation(
        "Delete a message",
        answers={204: None},
        text="One's own; others' for admins and owners. It keeps its seq and loses its content.",
    )
    def delete(self, request: Request, chat_id: UUID, message_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        actions.delete_message(actor=request.user, chat=chat, message_id=message_id)
        return Response(status=204)


class ReactionView(APIView):
    @operation(
        "React to a message",
        answers={200: ref("Message")},
        errors=[400, 409],
        text="`emoji` is one emoji, percent-encoded.",
    )
    def put(self, request: Request, **where: Any) -> Response:
        return Response(self._react(actions.add_reaction, request, **where))

    @operation(
        "Take a reaction back",
        answers={200: ref("Message")},
        errors=[400, 409],
        text="`emoji` is one emoji, percent-encoded.",
    )
    def delete(self, request: Request, **where: Any) -> Response:
        return Response(self._react(actions.remove_reaction, request, **where))

    def _react(
        self, action: Any, request: Request, chat_id: UUID, message_id: UUID, emoji: str
    ) -> Any:
        chat = access.seat_in(request.user, chat_id).chat
        given = checked_input(EmojiSerializer, {"emoji": emoji})
        return action(actor=request.user, chat=chat, message_id=message_id, **given)


class ChangesView(APIView):
    @operation(
        "What changed in a chat",
        answers={200: ref("Changes")},
        parameters=[
            Parameter("since", "The version that one has.", whole_number(0), is_required=True)
        ],
    )
    @snapshot()
    def get(self, request: Request, chat_id: UUID) -> Response:
        chat = access.seat_in(request.user, chat_id).chat
        since = integer_parameter(request, "since", low=0)
        if since is None:
            raise Invalid("Since which version?", code="required", attr="since")
        found = changes.changes(chat, since)
        return Response({"chat": chat_document(request.user, chat), **found})
