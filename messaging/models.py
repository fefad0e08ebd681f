"""What is said: messages, reactions and mentions."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from accounts.models import User
from chatproject.ids import new_id
from chats.models import Chat

_SHOWN_OF_SENDER = ("id", "username", "display_name")
_REST_OF_SENDER = [
    f"sender__{field.name}"
    for field in User._meta.concrete_fields
    if field.name not in _SHOWN_OF_SENDER
]


class MessageQuerySet(models.QuerySet["Message"]):
    def with_sender(self) -> "MessageQuerySet":
        """With no more of the senders than messages show: a page has one for each message."""
        return self.select_related("sender").defer(*_REST_OF_SENDER)


class Message(models.Model):
    """One row; a tombstone when deleted."""

    class Type(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"
        FILE = "file"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField(editable=False)
    version = models.BigIntegerField(editable=False)
    """The chat's version at the last change of this message."""
    created_version = models.BigIntegerField(editable=False)
    sender = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="messages", db_index=False
    )
    message_type = models.CharField(max_length=8, choices=Type, default=Type.TEXT)
    content = models.TextField(blank=True)
    html = models.TextField(blank=True)
    client_id = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    reply_to = models.UUIDField(null=True, editable=False)
    mentions = models.JSONField(default=list, editable=False)
    """User ids, as the protocol shows them; the rows of Mention are their index."""
    system = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = MessageQuerySet.as_manager()

    class Meta:
        db_table = "messages"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["chat", "seq"], name="messages_seq_unique"),
            models.UniqueConstraint(
                fields=["sender", "chat", "client_id"],
                condition=models.Q(client_id__isnull=False),
                name="messages_client_id_unique",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["chat", "version"], name="messages_changes"),
            models.Index(fields=["sender", "chat", "seq"], name="messages_own"),
            models.Index(
                fields=["chat", "seq"],
                condition=models.Q(message_type="system") | models.Q(deleted_at__isnull=False),
                name="messages_never_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chat_id} {self.seq}"

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_system(self) -> bool:
        return self.message_type == self.Type.SYSTEM

    def mention_rows(self) -> list["Mention"]:
        """New rows for the index. Who mentions themselves has nothing to read."""
        others = [user_id for user_id in self.mentions if user_id != str(self.sender_id)]
        return [
            Mention(message=self, user_id=user_id, chat_id=self.chat_id, seq=self.seq)
            for user_id in others
        ]


class Reaction(models.Model):
    """One person's emoji on a message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=64)
    emoji_key = models.CharField(max_length=64)
    """The emoji without U+FE0F: what makes two of them the same."""

    class Meta:
        db_table = "reactions"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["message", "user", "emoji_key"], name="reactions_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emoji} on {self.message_id}"


class Mention(models.Model):
    """Who is mentioned where: what mention counts are counted from."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="+")
    seq = models.BigIntegerField()

    class Meta:
        db_table = "mentions"
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["user", "chat", "seq"], name="mentions_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.message_id}"


class Installation(models.Model):
    """One row: what tells this data from data that was restored or replaced."""

    epoch = models.UUIDField(default=new_id)
    place = models.CharField(max_length=100, blank=True)
    """Where this data lies: a copy lies elsewhere. Empty while nobody knows."""
    served_until = models.BigIntegerField(default=0)
    """In microseconds since 1970, and always rising; a file in DATA_DIR knows it too."""

    class Meta:
        db_table = "installation"

    def __str__(self) -> str:
        return str(self.epoch)
