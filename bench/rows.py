"""The rows that a measurement begins with, made all at once. Imported once Django is set up."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from django.utils import timezone

from accounts.models import SignIn, User
from accounts.tokens import access_token
from bench.plans import Chats, Made
from chats.models import Chat, Membership
from messaging.models import Message

LIFETIME = timedelta(days=1)
AT_ONCE = 1_000
TEXT = "the boats leave at nine from the lower landing and come back before it is dark again"
HTML = f'<p dir="auto">{TEXT}</p>'
_numbers = count(1)


def make(people: int, chats: Chats, messages: int) -> Made:
    """New people with a token each, and groups of them, by number, with so many messages."""
    users = [_user(next(_numbers)) for _ in range(people)]
    expires_at = timezone.now() + LIFETIME
    sign_ins = [SignIn(user=user, kind=SignIn.Kind.TOKEN, expires_at=expires_at) for user in users]
    groups = [_group(number, users, members, messages) for number, members in enumerate(chats)]
    seats = [
        Membership(chat=group, user=users[person], version=place, joined_version=place)
        for group, members in zip(groups, chats, strict=True)
        for place, person in enumerate(members, 1)
    ]
    said = [
        _message(group, users[members[seq % len(members)]], len(members), seq)
        for group, members in zip(groups, chats, strict=True)
        for seq in range(1, messages + 1)
    ]
    User.objects.bulk_create(users, AT_ONCE)
    SignIn.objects.bulk_create(sign_ins, AT_ONCE)
    Chat.objects.bulk_create(groups, AT_ONCE)
    Membership.objects.bulk_create(seats, AT_ONCE)
    Message.objects.bulk_create(said, AT_ONCE)
    tokens = [access_token(sign_in, LIFETIME) for sign_in in sign_ins]
    return Made(tokens, [str(group.id) for group in groups])


def _user(number: int) -> User:
    name = f"bench{number}"
    return User(username=name, display_name=name, email=f"{name}@example.org", password="!")


def _group(number: int, users: list[User], members: Sequence[int], messages: int) -> Chat:
    return Chat(
        type=Chat.Type.GROUP,
        name=f"Group {number}",
        created_by=users[members[0]],
        member_count=len(members),
        version=len(members) + messages,
        last_seq=messages,
    )


def _message(chat: Chat, sender: User, version: int, seq: int) -> Message:
    return Message(
        chat=chat,
        seq=seq,
        version=version + seq,
        created_version=version + seq,
        sender=sender,
        content=TEXT,
        html=HTML,
    )
