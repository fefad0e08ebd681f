"""What is said in a demonstration chat, from its first day until now."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from chats.models import Chat, Membership
from messaging import mentions
from messaging.batches import people_shown
from messaging.emojis import emoji_key
from messaging.formatting import to_html
from messaging.models import Mention, Message, Reaction
from messaging.seed.people import chunks, id_at
from messaging.seed.places import Place
from messaging.seed.themes import Line, spoken

MESSAGES_AT_ONCE = 500
BREATH_SECONDS = 0.01 if settings.IS_SQLITE else 0
"""Short transactions and a pause after each: SQLite's other writers only look now and then."""
LETTERS = "ABCDEFGH"
LONG_HISTORY = 500
"""From here on most reactions are left out: nobody sees them, and each is a row."""
REACTED_SHARE = 0.15
DELETED_SHARE = 0.004
EDITED_AFTER = timedelta(seconds=20)

_cached_html = lru_cache(maxsize=10_000)(to_html)


class Turn(NamedTuple):
    """A line at its place: who has which part, and whether it opens or is in the last scene."""

    line: Line
    parts: dict[str, User]
    is_opening: bool
    is_last_scene: bool


@dataclass(slots=True)
class Draft:
    """A message that has no numbers yet. Each change after sending takes a version."""

    message: Message
    reactions: list[tuple[User, str]]

    @property
    def changes(self) -> int:
        message = self.message
        return len(self.reactions) + bool(message.edited_at) + bool(message.deleted_at)


def fill(place: Place, rng: Random, on_progress: Callable[[int], None]) -> None:
    """Says what is to be said in an open chat, in short transactions, and spreads read marks."""
    for chunk in chunks(_History(place, rng).drafts(), MESSAGES_AT_ONCE):
        _store(place, chunk)
        time.sleep(BREATH_SECONDS)
        on_progress(len(chunk))
    _spread_marks(place, rng)


class _History:
    """The messages of one chat, made one after the other."""

    def __init__(self, place: Place, rng: Random) -> None:
        self.place, self.rng = place, rng
        self.people = {user.username.lower(): user for user in place.people}
        self.shown = people_shown(self.people)
        self.reacted_share = 1.0 if place.share < LONG_HISTORY else REACTED_SHARE

    def drafts(self) -> Iterator[Draft]:
        scenes = self._scenes()
        excess = sum(map(len, scenes)) - self.place.share
        moments = self._moments(scenes, excess)
        before: Message | None = None
        for turn, moment in zip(islice(self._turns(scenes), excess, None), moments, strict=True):
            draft = self._draft(turn, moment, None if turn.is_opening else before)
            before = draft.message
            yield draft

    def _scenes(self) -> list[list[Line]]:
        """Enough lines, in changing order, and the theme's last scene at the end."""
        *scenes, last = self.place.theme.scenes
        chosen, missing = [last], self.place.share - len(last)
        while missing > 0:
            self.rng.shuffle(scenes)
            for scene in scenes:
                chosen.append(scene)
                missing -= len(scene)
                if missing <= 0:
                    break
        return chosen[::-1]

    def _moments(self, scenes: list[list[Line]], excess: int) -> list[datetime]:
        """Lines of a scene within minutes, scenes hours apart, if there is room for that."""
        span = (self.place.closes_at - self.place.opened_at).total_seconds()
        pause = span / len(scenes)
        gap = min(60.0, pause / max(map(len, scenes)))
        gaps = [
            self.rng.uniform(0.3, 1.7) * (gap if number else pause)
            for scene in scenes
            for number in range(len(scene))
        ][excess:]
        return _moments_between(self.place, gaps, span)

    def _turns(self, scenes: list[list[Line]]) -> Iterator[Turn]:
        for number, scene in enumerate(scenes):
            parts = self._parts()
            is_last = number == len(scenes) - 1
            for position, line in enumerate(scene):
                yield Turn(line, parts, position == 0, is_last)

    def _parts(self) -> dict[str, User]:
        people = self.place.people
        if not self.place.has_cast:
            people = self.rng.sample(people, min(len(LETTERS), len(people)))
        return {letter: people[at % len(people)] for at, letter in enumerate(LETTERS)}

    def _draft(self, turn: Turn, moment: datetime, before: Message | None) -> Draft:
        sender = turn.parts[turn.line.speaker]
        message = Message(
            id=id_at(moment),
            chat_id=self.place.chat_id,
            sender_id=sender.id,
            reply_to=before.id if before and turn.line.is_reply else None,
            created_at=moment,
            edited_at=moment + EDITED_AFTER if turn.line.is_edited else None,
        )
        if not turn.is_last_scene and self.rng.random() < DELETED_SHARE:
            message.deleted_at = moment + EDITED_AFTER
            return Draft(message, [])
        self._write(message, turn)
        return Draft(message, self._reactions(turn, sender))

    def _write(self, message: Message, turn: Turn) -> None:
        message.content = spoken(turn.line, turn.parts, self.rng)
        if "@" not in message.content:
            message.html = _cached_html(message.content)
            return
        message.html = to_html(message.content, self.shown)
        mentioned = mentions.resolve(message.content, self.people)
        message.mentions = [str(user.id) for user in mentioned]

    def _reactions(self, turn: Turn, sender: User) -> list[tuple[User, str]]:
        given = turn.line.reactions
        if not given or (not turn.is_last_scene and self.rng.random() >= self.reacted_share):
            return []
        others = [user for user in self.place.people if user is not sender]
        return [
            (user, emoji)
            for emoji, times in given
            for user in self.rng.sample(others, min(times, len(others)))
        ]


def _moments_between(place: Place, gaps: list[float], span: float) -> list[datetime]:
    """The first a pause after the chat was opened, the last when it closes."""
    scale = span / sum(gaps)
    moments, seconds = [], 0.0
    for gap in gaps:
        seconds += gap * scale
        moments.append(place.opened_at + timedelta(seconds=seconds))
    return moments


def _store(place: Place, drafts: list[Draft]) -> None:
    """Numbers are handed out under the chat's lock: somebody may be writing there already."""
    with transaction.atomic():
        chat = Chat.objects.locked().get(id=place.chat_id)
        for draft in drafts:
            _number(chat, draft)
        Message.objects.bulk_create([draft.message for draft in drafts])
        rows = [row for draft in drafts for row in draft.message.mention_rows()]
        Mention.objects.bulk_create(rows)
        Reaction.objects.bulk_create(_reaction_rows(drafts))
        chat.active_at = max(chat.active_at, drafts[-1].message.created_at)
        chat.changed_at = Now()
        chat.save(update_fields=["last_seq", "version", "active_at", "changed_at"])


def _number(chat: Chat, draft: Draft) -> None:
    message = draft.message
    chat.last_seq += 1
    chat.version += 1
    message.seq, message.created_version = chat.last_seq, chat.version
    chat.version += draft.changes
    message.version = chat.version


def _reaction_rows(drafts: list[Draft]) -> list[Reaction]:
    return [
        Reaction(
            message_id=draft.message.id,
            user_id=user.id,
            emoji=emoji,
            emoji_key=emoji_key(emoji) or emoji,
        )
        for draft in drafts
        for user, emoji in draft.reactions
    ]


def _spread_marks(place: Place, rng: Random) -> None:
    """Most have read all, some miss a few, some were away; one's own last message is read."""
    own = _last_own(place)
    with transaction.atomic():
        chat = Chat.objects.locked().get(id=place.chat_id)
        seats = list(Membership.objects.filter(chat=chat).order_by("version"))
        for seat in seats:
            seat.last_read_seq = max(_mark(chat.last_seq, rng), own.get(seat.user_id, 0))
        Membership.objects.bulk_update(seats, ["last_read_seq"], batch_size=200)


def _mark(last_seq: int, rng: Random) -> int:
    luck = rng.random()
    missed = 0 if luck < 0.5 else rng.randrange(1, 8) if luck < 0.85 else rng.randrange(8, 200)
    return max(last_seq - missed, 0)


def _last_own(place: Place) -> dict[object, int]:
    """By user id, their newest seq among the chat's last ones."""
    rows = Message.objects.filter(chat=place.chat_id, sender__isnull=False).order_by("-seq")
    found: dict[object, int] = {}
    for sender_id, seq in rows.values_list("sender_id", "seq")[:200]:
        found.setdefault(sender_id, seq)
    return found
