"""People as the protocol shows them, and what may be said about them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from rest_framework import serializers

from accounts import presence
from accounts.models import User, username_rules
from chatproject.fields import AnyTextField, ExactTextField, StrictTextField, VisibleTextField
from chatproject.times import rfc3339

Document = dict[str, Any]


def user_documents(users: Iterable[User]) -> list[Document]:
    """Several people in one query for their presence."""
    users = list(users)
    online = presence.online_among([user.id for user in users])
    return [user_document(user, is_online=user.id in online) for user in users]


def user_document(user: User, *, is_online: bool | None = None) -> Document:
    if is_online is None:
        is_online = bool(presence.online_among([user.id]))
    return {
        **person(str(user.id), user.username, user.display_name),
        "is_bot": user.is_bot,
        **presence.presence_document(user, is_online=is_online),
        "created_at": rfc3339(user.created_at),
    }


def own_document(user: User) -> Document:
    return own_documents([user])[0]


def own_documents(users: Sequence[User]) -> list[Document]:
    """Each for that person alone."""
    return [
        {**document, "email": user.email, "settings": user.settings}
        for user, document in zip(users, user_documents(users), strict=True)
    ]


def person(user_id: str, username: Any, display_name: Any) -> Document:
    """The little that a message shows of its sender."""
    return {
        "id": user_id,
        "username": username,
        "display_name": display_name,
        "avatar_url": None,
    }


class UsernameField(StrictTextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=2, max_length=32, validators=[username_rules[-1]], **options)


class EmailField(StrictTextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(serializers.EmailField().validators[-1])


class PasswordField(ExactTextField):
    """Kept to the letter: white space around a password is part of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=1024, **options)


class SettingsField(serializers.JSONField):
    """An object of the page's own, at most 4 KiB."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or len(orjson.dumps(data)) > 4096:
            self.fail("invalid")
        if "\\u0000" in orjson.dumps(data).decode():
            self.fail("invalid")
        return data


NEW_PASSWORD = "8 to 128 characters, neither common nor like the name."


class RegistrationSerializer(serializers.Serializer[Any]):
    username = UsernameField()
    email = EmailField()
    password = PasswordField(help_text=NEW_PASSWORD)
    display_name = VisibleTextField(max_length=64, required=False)


class LoginSerializer(serializers.Serializer[Any]):
    username = StrictTextField(max_length=254)
    password = PasswordField()


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = StrictTextField(max_length=4096)


class LogoutSerializer(serializers.Serializer[Any]):
    refresh = AnyTextField()


class PasswordChangeSerializer(serializers.Serializer[Any]):
    old_password = PasswordField()
    new_password = PasswordField(help_text=NEW_PASSWORD)


class ProfileSerializer(serializers.Serializer[Any]):
    display_name = VisibleTextField(max_length=64, required=False)
    email = EmailField(required=False)
    settings = SettingsField(required=False)


def id_texts(ids: Iterable[UUID]) -> list[str]:
    return [str(one) for one in ids]
