"""The only way to a chat: through the seat of who asks."""

from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.errors import Forbidden, NotThere
from chatproject.prepared import prepared
from chats.models import Chat, Membership


def seat_in(user: User, chat_id: UUID) -> Membership:
    """The user's seat, with its chat. Raises NotThere for outsiders."""
    for seat in _seats_in(user.id, chat_id):
        return seat
    raise NotThere()


@prepared
def _seats_in(user_id: UUID, chat_id: UUID) -> Any:
    return Membership.objects.present().select_related("chat").filter(user=user_id, chat=chat_id)


def locked_seat_in(user: User, chat_id: UUID) -> Membership:
    """The same with the chat locked until the transaction ends.

    The lock comes first, so that what is read after it (roles, who is there) stays true.
    """
    chat = Chat.objects.locked().filter(id=chat_id).first()
    if chat is None:
        raise NotThere()
    seat = Membership.objects.present().filter(user=user, chat=chat).first()
    if seat is None:
        raise NotThere()
    seat.chat = chat
    return seat


def member_of(chat: Chat, user_id: UUID) -> Membership:
    """Somebody else's present seat, with the user. Raises NotThere."""
    rows = Membership.objects.present().select_related("user")
    seat = rows.filter(chat=chat, user=user_id).first()
    if seat is None:
        raise NotThere()
    return seat


def require_group(chat: Chat) -> None:
    if chat.is_direct:
        raise Forbidden("A direct chat stays as it is.")


def require_manager(seat: Membership) -> None:
    require_group(seat.chat)
    if not seat.can_manage:
        raise Forbidden("Only an owner or an admin may do that.")


def require_owner(seat: Membership) -> None:
    require_group(seat.chat)
    if seat.role != Membership.Role.OWNER:
        raise Forbidden("Only an owner may do that.")


def require_above(seat: Membership, other: Membership) -> None:
    """Owners stand above all; an admin above plain members alone."""
    require_manager(seat)
    if seat.role != Membership.Role.OWNER and other.role != Membership.Role.MEMBER:
        raise Forbidden("An admin may not do that to an owner or another admin.")


def people(user_ids: list[UUID]) -> list[User]:
    """People in the order of their ids, each once. Raises NotThere where one is unknown."""
    found: dict[Any, User] = User.objects.in_bulk(user_ids)
    if len(found) != len(set(user_ids)):
        raise NotThere()
    return [found[user_id] for user_id in dict.fromkeys(user_ids)]
