"""Where: chats and the seats in them."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from chatproject.ids import new_id
from chatproject.listed import IsListed

MAX_MEMBERS = 10_000


class ChatQuerySet(models.QuerySet["Chat"]):
    def of(self, user: User | UUID) -> "ChatQuerySet":
        """The chats that somebody is in."""
        return self.filter(memberships__user=user, memberships__left_at=None)

    def with_all(self, user_ids: Iterable[UUID]) -> "ChatQuerySet":
        """Those that all of these people are in, too."""
        chats = self
        for user_id in user_ids:
            chats = chats.filter(
                id__in=Membership.objects.present().filter(user=user_id).values("chat")
            )
        return chats

    def by_activity(self) -> "ChatQuerySet":
        return self.order_by("-active_at", "-id")

    def locked(self) -> "ChatQuerySet":
        """In id order, each row locked until the transaction ends."""
        return self.select_for_update().order_by("id")


class Chat(models.Model):
    """A place, direct or group. Owns the counters ``last_seq`` and ``version``."""

    class Type(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001
    topic = models.CharField(max_length=250, null=True, blank=True)  # noqa: DJ001
    type = models.CharField(max_length=8, choices=Type, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", editable=False, db_column="created_by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    active_at = models.DateTimeField(default=timezone.now, editable=False)
    """When the newest message was sent."""
    last_seq = models.BigIntegerField(default=0, editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    profile_version = models.BigIntegerField(default=0, editable=False)
    """The version of the last change of name, topic or picture."""
    member_count = models.PositiveIntegerField(default=0, editable=False)
    pair = models.CharField(max_length=65, null=True, unique=True, editable=False)  # noqa: DJ001
    """Of a direct chat: both user ids in order, so that there is one a pair."""
    changed_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)

    objects: ClassVar[Any] = ChatQuerySet.as_manager()

    class Meta:
        db_table = "chats"
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                name="chats_direct_has_pair_group_has_name",
                condition=models.Q(type="direct", pair__isnull=False, name=None)
                | models.Q(type="group", pair=None, name__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"direct {self.id}"

    @property
    def is_direct(self) -> bool:
        return self.type == self.Type.DIRECT


def pair_of(one: UUID, other: UUID) -> str:
    return ":".join(sorted([one.hex, other.hex]))


class MembershipQuerySet(models.QuerySet["Membership"]):
    def present(self) -> "MembershipQuerySet":
        return self.filter(left_at=None)

    def seats(self, listed: str) -> "MembershipQuerySet":
        """Those of a list, as ``as_list`` makes it, of chat id and user id each."""
        return self.filter(
            IsListed(Membership, "chat_id = {0:uuid} AND user_id = {1:uuid}", listed)
        )

    def heir(self) -> "Membership | None":
        """Who becomes owner where there is none: the longest-standing admin, else member."""
        seats = self.present().filter(user__is_active=True).select_related("user")
        seats = seats.order_by("joined_at", "id")
        return seats.filter(role=Membership.Role.ADMIN).first() or seats.first()


class Membership(models.Model):
    """A user's seat in a chat. All permission comes from here. Leaving sets ``left_at``."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"

    class Notify(models.TextChoices):
        ALL = "all"
        MENTIONS = "mentions"
        NONE = "none"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    version = models.BigIntegerField(default=0, editable=False)
    """The chat's version at the last change of this seat: joined, left or a role."""
    joined_version = models.BigIntegerField(default=0, editable=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    left_at = models.DateTimeField(null=True, editable=False)
    last_read_seq = models.BigIntegerField(default=0, editable=False)
    notify = models.CharField(max_length=8, choices=Notify, default=Notify.ALL)
    pinned = models.BooleanField(default=False)
    muted_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "memberships"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["chat", "user"], name="memberships_one_seat"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["user", "chat"],
                condition=models.Q(left_at=None),
                name="memberships_present_by_user",
            ),
            models.Index(fields=["chat", "version"], name="memberships_changes"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.chat_id}"

    @property
    def is_present(self) -> bool:
        return self.left_at is None

    @property
    def can_manage(self) -> bool:
        """May rename, add, remove plain members and delete others' messages."""
        return self.role != self.Role.MEMBER
