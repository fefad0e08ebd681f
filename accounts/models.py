"""Who: people, their sign-ins, and where they are connected."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Lower, Now
from django.utils import timezone

from accounts.folding import Folded
from chatproject.ids import new_id

HEARTBEAT_SECONDS = 10
"""How often a server process says that it lives."""
STALE_SECONDS = 40
"""A process silent for this long is dead, and its people are offline."""

username_rules: list[Callable[[Any], None]] = [
    MinLengthValidator(2),
    MaxLengthValidator(32),
    RegexValidator(r"^[A-Za-z0-9_.-]+\Z", "Use letters, digits, dot, dash and underscore."),
]


class UserQuerySet(models.QuerySet["User"]):
    def named(self, identifier: str) -> "UserQuerySet":
        """Who has this username or email, whatever its case."""
        key = identifier.lower()
        rows = self.with_name_key().alias(email_key=Lower("email"))
        return rows.filter(models.Q(name_key=key) | models.Q(email_key=key))

    def with_name_key(self) -> "UserQuerySet":
        """Can be filtered by ``name_key``, the lower-cased username that is unique."""
        return self.alias(name_key=Lower("username"))

    def matching(self, text: str) -> "UserQuerySet":
        """Who has this in the username or the display name, whatever the case and the accents."""
        # The database folds both: it may know the lower case of fewer letters than Python.
        asked = Folded(models.Value(text))
        names = models.Q(username__icontains=asked) | models.Q(folded__contains=asked)
        return self.alias(folded=Folded("display_name")).filter(names)

    def with_presence(self) -> "UserQuerySet":
        """Adds ``is_online``: somebody with a connection of a living process."""
        return self.annotate(is_online=models.Exists(_alive_connections()))

    def locked(self) -> "UserQuerySet":
        """In id order, each row locked until the transaction ends; messages still refer to it."""
        return self.select_for_update(no_key=True).order_by("id")

    def online(self) -> "UserQuerySet":
        """Those of whom others are told so."""
        hidden = User.objects.filter(pk=models.OuterRef("pk"), settings__shows_online=False)
        return self.filter(models.Exists(_alive_connections()), ~models.Exists(hidden))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_superuser(self, username: str, email: str, password: str | None) -> "User":
        user = self.model(username=username, email=email, is_staff=True, is_superuser=True)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a bot."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=32, validators=username_rules)
    email = models.EmailField(max_length=254)
    password = models.CharField("password hash", max_length=128, db_column="password_hash")
    display_name = models.CharField(max_length=64, blank=True)
    is_bot = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    settings = models.JSONField(default=dict, blank=True)
    seats_version = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)
    last_login = None

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        db_table = "users"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(Lower("username"), name="users_username_unique"),
            models.UniqueConstraint(Lower("email"), name="users_email_unique"),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.display_name = self.display_name or self.username
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


class SignInQuerySet(models.QuerySet["SignIn"]):
    def valid(self) -> "SignInQuerySet":
        """Those that still open doors."""
        return self.filter(ended_at=None, expires_at__gt=Now(), user__is_active=True)


class SignIn(models.Model):
    """One device's sign-in: behind a browser's cookie or a client's tokens (``sid``)."""

    class Kind(models.TextChoices):
        WEB = "web"
        TOKEN = "token"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    kind = models.CharField(max_length=8, choices=Kind)
    user_agent = models.CharField(max_length=256, blank=True)
    address = models.GenericIPAddressField(null=True)
    refresh_number = models.PositiveIntegerField(default=0)
    """Which refresh token counts; a lower one is spent."""
    exchanges = models.JSONField(default=dict, editable=False)
    """When the refresh tokens of late were exchanged: by number, in seconds since 1970."""
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(db_default=Now(), db_index=True)

    objects: ClassVar[Any] = SignInQuerySet.as_manager()

    class Meta:
        db_table = "sign_ins"

    def __str__(self) -> str:
        return f"{self.user_id} by {self.kind}"


class Allowance(models.Model):
    """What somebody has taken of a rate: see ``limits``, which alone writes it."""

    key = models.CharField(max_length=120, primary_key=True)
    whole_at = models.BigIntegerField()
    """When nothing is missing of it, in microseconds since 1970 by the database's clock."""
    granted = models.BigIntegerField()
    """How much the last one to take from it got."""

    class Meta:
        db_table = "allowances"

    def __str__(self) -> str:
        return self.key


class ServerProcess(models.Model):
    """A running server process; its heartbeat says that it lives."""

    id = models.UUIDField(primary_key=True, default=new_id)
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "server_processes"

    def __str__(self) -> str:
        return str(self.id)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def alive(self) -> "ConnectionQuerySet":
        return self.filter(process__heartbeat_at__gt=stale_before())

    def open(self) -> "ConnectionQuerySet":
        """Without those of a process that missed a heartbeat: its people come back elsewhere."""
        beaten_after = Now() - timedelta(seconds=HEARTBEAT_SECONDS * 1.5)
        return self.filter(is_open=True, process__heartbeat_at__gt=beaten_after)


class Connection(models.Model):
    """An open socket of somebody, in a server process."""

    id = models.UUIDField(primary_key=True, default=new_id)
    process = models.ForeignKey(ServerProcess, models.CASCADE, related_name="connections")
    user = models.ForeignKey(User, models.CASCADE, related_name="connections")
    is_open = models.BooleanField(db_default=True)
    """False once it is closed, for as long as its user counts as online still."""

    objects: ClassVar[Any] = ConnectionQuerySet.as_manager()

    class Meta:
        db_table = "connections"

    def __str__(self) -> str:
        return str(self.id)


def _alive_connections() -> models.QuerySet[Connection]:
    rows: models.QuerySet[Connection] = Connection.objects.alive()
    return rows.filter(user=models.OuterRef("pk"))


def stale_before() -> CombinedExpression:
    """By the database's clock, which wrote the heartbeats of all machines."""
    return Now() - timedelta(seconds=STALE_SECONDS)
