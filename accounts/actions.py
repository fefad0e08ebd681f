"""What people do with their accounts."""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings as site
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import events, first_run, limits, passwords, presence, seats, tokens
from accounts.models import SignIn, User
from accounts.preferences import hides_presence
from chatproject.errors import Forbidden, Invalid, NotSignedIn, RateLimited, SignInFailed, TryAgain
from chatproject.realtime import DEACTIVATED, NOT_SIGNED_IN, publish, sign_in_ended

logger = logging.getLogger("security")

SIGN_IN_LIFETIME = timedelta(days=30)
REUSE_GRACE_SECONDS = 30
"""A spent refresh token that comes later than this was stolen: its sign-in ends."""


TOO_MANY_FAILURES = "Too many wrong passwords."
WRONG_LINK = "This link is wrong or has been used."


def register_user(
    *,
    username: str,
    email: str,
    password: str,
    display_name: str = "",
    address: str | None = None,
) -> User:
    """Makes an account. Raises Invalid, RateLimited; Forbidden where registration is closed."""
    if not site.REGISTRATION_OPEN:
        raise Forbidden("Registration is closed here. Ask an administrator for an account.")
    user = User(username=username, email=email, display_name=display_name or username)
    _prepare(user, password, address)
    _store(user)
    logger.info("registered user=%s", user.id)
    return user


def make_owner(
    *, token: str, username: str, email: str, password: str, address: str | None = None
) -> User:
    """Makes the first administrator, for the link of the first run.

    Raises Invalid, RateLimited; Forbidden where the link is wrong or spent.
    """
    if not first_run.opens(token):
        raise Forbidden(WRONG_LINK)
    user = User(username=username, email=email, is_staff=True, is_superuser=True)
    _prepare(user, password, address)
    with transaction.atomic():
        _store(user)
        if not first_run.spend():
            raise Forbidden(WRONG_LINK)
    logger.info("made the owner user=%s", user.id)
    return user


def _prepare(user: User, password: str, address: str | None) -> None:
    limits.spend(limits.registration_spending(address), because="Too many new accounts.")
    _check_address(user.email)
    _check_free(user)
    passwords.check_rules(password, user, "password")
    user.password = passwords.hashed(password)


def _store(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:  # somebody took the name in the meantime
        _check_free(user)
        raise


def sign_in(
    *, identifier: str, password: str, kind: str, user_agent: str = "", address: str | None = None
) -> SignIn:
    """Signs somebody in on one device. Raises SignInFailed, or RateLimited after many of those."""
    user = User.objects.named(identifier).filter(is_active=True).first()
    account = str(user.id) if user else identifier.lower()
    try:
        is_right = _is_right(password, user, limits.sign_in_spendings(account, address))
    except RateLimited:
        logger.warning("sign-in refused, too many name=%r address=%s", identifier, address)
        raise
    if not is_right or user is None:
        logger.warning("sign-in failed name=%r address=%s", identifier, address)
        raise SignInFailed()
    return start_sign_in(user=user, kind=kind, user_agent=user_agent, address=address)


def _is_right(password: str, user: User | None, spendings: list[limits.Spending]) -> bool:
    """Whether this is their password. Counts as wrong until that is known: hashing takes long."""
    limits.spend(*spendings, because=TOO_MANY_FAILURES)
    try:
        is_right = passwords.is_right(password, user)
    except TryAgain:
        limits.give_back(*spendings)
        raise
    if is_right:
        limits.give_back(*spendings)
    return is_right


def start_sign_in(
    *, user: User, kind: str, user_agent: str = "", address: str | None = None
) -> SignIn:
    """A new sign-in of somebody who has just proved who they are."""
    now = timezone.now()
    sign_in = SignIn(
        user=user,
        kind=kind,
        user_agent=user_agent[:256],
        address=address,
        expires_at=now + SIGN_IN_LIFETIME,
    )
    with transaction.atomic():
        # A password that was changed since it was checked opens nothing any more: who changed
        # it has ended all sign-ins that there were.
        same = User.objects.locked().filter(id=user.id, password=user.password, is_active=True)
        if same.first() is None:
            raise SignInFailed()
        sign_in.save(force_insert=True)
        User.objects.filter(id=user.id).update(last_seen=now)
    logger.info("signed in user=%s address=%s", user.id, address)
    return sign_in


def refresh(*, token: str) -> SignIn:
    """Exchanges a refresh token: spends it and returns the sign-in with a new number.

    Raises NotSignedIn. A spent token that comes back late ends its sign-in.
    """
    claims = tokens.read_refresh(token)
    if claims is None:
        raise NotSignedIn("This refresh token is not valid.")
    with transaction.atomic():
        rows = SignIn.objects.valid().filter(id=claims.sign_in_id)
        sign_in = rows.select_related("user").select_for_update(of=("self",)).first()
        if sign_in is None:
            raise NotSignedIn("This sign-in has ended.")
        if claims.number == sign_in.refresh_number:
            return _renewed(sign_in)
        if _came_late(sign_in, claims):
            end_sign_ins(sign_ins=[sign_in])
            logger.warning("spent refresh token reused user=%s", sign_in.user_id)
    raise NotSignedIn("This refresh token is spent.")


def _renewed(sign_in: SignIn) -> SignIn:
    now = timezone.now()
    recent = now.timestamp() - REUSE_GRACE_SECONDS
    kept = {number: at for number, at in sign_in.exchanges.items() if at > recent}
    sign_in.exchanges = {**kept, str(sign_in.refresh_number): now.timestamp()}
    sign_in.refresh_number += 1
    sign_in.expires_at = now + SIGN_IN_LIFETIME
    sign_in.save(update_fields=["refresh_number", "exchanges", "expires_at"])
    return sign_in


def _came_late(sign_in: SignIn, claims: tokens.Refresh) -> bool:
    """One whose exchange is not noted any more was exchanged long ago."""
    exchanged_at: float = sign_in.exchanges.get(str(claims.number), 0)
    return timezone.now().timestamp() - exchanged_at > REUSE_GRACE_SECONDS


def sign_out(*, token: str) -> None:
    """Ends the sign-in of a refresh token; any other text ends nothing."""
    claims = tokens.read_refresh(token)
    if claims:
        end_sign_ins(sign_ins=SignIn.objects.filter(id=claims.sign_in_id, ended_at=None))


def end_sign_ins(*, sign_ins: Any, close_code: int = NOT_SIGNED_IN) -> None:
    """Ends sign-ins: their tokens and cookies open nothing, their sockets are closed."""
    ids = [one.id for one in sign_ins]
    with transaction.atomic():
        SignIn.objects.filter(id__in=ids).update(ended_at=timezone.now(), changed_at=Now())
        publish(*(sign_in_ended(one, close_code) for one in ids))


def change_password(
    *, actor: User, sign_in: SignIn | None, old_password: str, new_password: str
) -> None:
    """Sets a new password and ends every other sign-in. Raises Invalid, RateLimited."""
    if not _is_right(old_password, actor, [("old password", str(actor.id))]):
        raise Invalid("That is not your password.", code="wrong_password", attr="old_password")
    passwords.check_rules(new_password, actor, "new_password")
    hashed = passwords.hashed(new_password)
    with transaction.atomic():
        User.objects.filter(id=actor.id).update(password=hashed, changed_at=Now())
        others = SignIn.objects.filter(user=actor, ended_at=None)
        end_sign_ins(sign_ins=others.exclude(id=sign_in.id) if sign_in else others)
    logger.info("password changed user=%s", actor.id)


def update_profile(
    *,
    actor: User,
    display_name: str | None = None,
    email: str | None = None,
    settings: dict[str, Any] | None = None,
) -> User:
    """Changes what is given; the same again tells nobody. Raises Invalid."""
    given = {"display_name": display_name, "email": email, "settings": settings}
    changes = {
        key: value
        for key, value in given.items()
        if value is not None and value != getattr(actor, key)
    }
    was_hidden = hides_presence(actor)
    for key, value in changes.items():
        setattr(actor, key, value)
    if "email" in changes:
        _check_address(actor.email)
        _check_free(actor)
    if changes:
        _save_profile(actor, list(changes), shows_or_hides=was_hidden != hides_presence(actor))
    return actor


def change_preferences(*, actor: User, **chosen: Any) -> User:
    """Changes these of the settings and keeps the others, which may be another client's."""
    kept = actor.settings if isinstance(actor.settings, dict) else {}
    return update_profile(actor=actor, settings={**kept, **chosen})


def _save_profile(user: User, changed: list[str], *, shows_or_hides: bool) -> None:
    try:
        with transaction.atomic():
            limits.count_change(user)
            user.changed_at = Now()
            user.save(update_fields=[*changed, "changed_at"])
            if "display_name" in changed:
                publish(events.user_updated(user, seats.chat_ids(user)))
            if shows_or_hides:
                presence.announce(user)
    except IntegrityError:  # somebody took the address in the meantime
        _check_free(user)
        raise


def set_active(*, users: Any, is_active: bool) -> None:
    """Deactivates people, ending all their sign-ins, or takes them back."""
    users = list(users)
    with transaction.atomic():
        seats.hold_chats(users)
        if not is_active:
            seats.give_up_ownership(users)
        rows = User.objects.locked().filter(id__in=[user.id for user in users])
        ids = list(rows.values_list("id", flat=True))
        User.objects.filter(id__in=ids).update(is_active=is_active, changed_at=Now())
        if not is_active:
            theirs = SignIn.objects.filter(user__in=ids, ended_at=None)
            end_sign_ins(sign_ins=theirs, close_code=DEACTIVATED)


def _check_address(email: str) -> None:
    """Beyond ASCII, databases do not agree on what is the same in another case."""
    if not email.isascii():
        raise Invalid("Write the address in ASCII (xn--… for the domain).", attr="email")


def _check_free(user: User) -> None:
    others = User.objects.exclude(id=user.id)
    if others.filter(username__iexact=user.username).exists():
        raise Invalid("This name is taken.", code="unique", attr="username")
    if others.filter(email__iexact=user.email).exists():
        raise Invalid("This address is in use.", code="unique", attr="email")
