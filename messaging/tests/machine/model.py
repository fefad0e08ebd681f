"""A chat server in memory, as small as can be, that the real one is held against.

People go by their names, messages by their ``seq``. An action that is refused raises Refused
before it changes anything.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

MEMBER, ADMIN, OWNER = "member", "admin", "owner"


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def require(is_so: bool, status: int) -> None:
    if not is_so:
        raise Refused(status)


@dataclass
class Seat:
    role: str
    joined: int
    mark: int
    pinned: bool = False
    is_present: bool = True


@dataclass
class Said:
    seq: int
    version: int
    sender: str | None
    content: str = ""
    client_id: str | None = None
    reply_to: int | None = None
    mentions: list[str] = field(default_factory=list)
    system: str | None = None
    reactions: list[tuple[str, str]] = field(default_factory=list)
    """Emoji and who, in order."""
    is_edited: bool = False
    is_deleted: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """By emoji as first sent, who reacted; the mentions in any order."""
        by_key: dict[str, tuple[str, list[str]]] = {}
        for emoji, who in self.reactions:
            by_key.setdefault(bare(emoji), (emoji, []))[1].append(who)
        content = None if self.system else self.content
        told = {"reactions": list(by_key.values()), "mentions": sorted(self.mentions)}
        return vars(self) | told | {"content": content}


def bare(emoji: str) -> str:
    return emoji.replace("\ufe0f", "")


class Room:
    """A chat. Its id is the server's."""

    def __init__(self, people: list[str], *, name: str | None = None) -> None:
        self.id = ""
        self.name, self.topic = name, None
        self.version = self.joins = 0
        self.is_gone = False
        self.said: list[Said] = []
        self.seats: dict[str, Seat] = {}
        self.sent: dict[tuple[str, str], Said] = {}
        for who in people:
            self._seat(who)
        if name:
            self.seats[people[0]].role = OWNER
            self._say_line("created")

    def __repr__(self) -> str:
        return f"<{self.name or 'direct'} {self.id[-4:]}>"

    # Who is there

    @property
    def present(self) -> dict[str, Seat]:
        seats = {} if self.is_gone else self.seats
        return {who: seat for who, seat in seats.items() if seat.is_present}

    def seat(self, who: str) -> Seat:
        require(who in self.present, 404)
        return self.seats[who]

    def _group_seat(self, who: str, *roles: str) -> Seat:
        seat = self.seat(who)
        require(self.name is not None and (not roles or seat.role in roles), 403)
        return seat

    def _seat(self, who: str) -> None:
        known = self.seats.get(who) or Seat(MEMBER, 0, 0)
        self.version += 1
        self.joins += 1
        self.seats[who] = replace(
            known, role=MEMBER, joined=self.joins, mark=len(self.said), is_present=True
        )

    def add(self, who: str, whom: str) -> None:
        self._group_seat(who, ADMIN, OWNER)
        if whom not in self.present:
            self._seat(whom)
            self._say_line("added")

    def remove(self, who: str, whom: str) -> None:
        seat = self._group_seat(who)
        gone = self.seat(whom)
        is_above = seat.role == OWNER or (seat.role == ADMIN and gone.role == MEMBER)
        require(who == whom or is_above, 403)
        if len(self.present) == 1:
            self.is_gone = True
            return
        gone.is_present = False
        self.version += 1
        self._let_somebody_inherit()
        self._say_line("left" if who == whom else "removed")

    def _let_somebody_inherit(self) -> None:
        heirs = sorted(self.present.values(), key=lambda one: (one.role != ADMIN, one.joined))
        if not any(one.role == OWNER for one in heirs):
            heirs[0].role = OWNER
            self.version += 1

    def give_role(self, who: str, whom: str, role: str) -> None:
        self._group_seat(who, OWNER)
        seat = self.seat(whom)
        if seat.role == role:
            return
        owners = [one for one in self.present.values() if one.role == OWNER]
        require(owners != [seat], 409)
        seat.role = role
        self.version += 1
        self._say_line("role")

    def end(self, who: str) -> None:
        self._group_seat(who, OWNER)
        self.is_gone = True

    def change(self, who: str, facts: dict[str, str | None]) -> None:
        self._group_seat(who, ADMIN, OWNER)
        new = {key: value for key, value in facts.items() if getattr(self, key) != value}
        if new:
            vars(self).update(new)
            self.version += 1
        if "name" in new:
            self._say_line("renamed")

    # What is said

    def _say_line(self, kind: str) -> None:
        self._store(Said(0, 0, None, system=kind))

    def _store(self, said: Said) -> Said:
        self.said.append(said)
        self.version += 1
        said.seq, said.version = len(self.said), self.version
        return said

    def say(
        self, who: str, content: str, client_id: str | None = None, reply_to: int | None = None
    ) -> Said:
        self.seat(who)
        known = self.sent.get((who, client_id or ""))
        if known:
            return known
        require(reply_to != 0, 400)
        said = Said(0, 0, who, content, client_id, reply_to, self._mentions(content))
        if client_id:
            self.sent[who, client_id] = said
        return self._store(said)

    def _mentions(self, content: str) -> list[str]:
        return [who for who in re.findall(r"@(\w+)", content) if who in self.present]

    def edit(self, who: str, seq: int, content: str) -> Said:
        self.seat(who)
        said = self._at(seq)
        require(said.sender == who, 403)
        require(not said.is_deleted, 409)
        if said.content != content:
            said.content, said.mentions = content, self._mentions(content)
            said.is_edited = True
            self._touch(said)
        return said

    def delete(self, who: str, seq: int) -> Said:
        seat = self.seat(who)
        said = self._at(seq)
        require(said.system is None, 403)
        require(said.sender == who or seat.role != MEMBER, 403)
        if not said.is_deleted:
            said.content, said.mentions, said.reactions, said.is_deleted = "", [], [], True
            self._touch(said)
        return said

    def react(self, who: str, seq: int, emoji: str, *, is_there: bool) -> Said:
        self.seat(who)
        said = self._at(seq)
        require(not said.is_deleted, 409)
        require(said.system is None, 403)
        same = [one for one in said.reactions if bare(one[0]) == bare(emoji)]
        own = next((one for one in same if one[1] == who), None)
        if is_there and own is None:
            said.reactions.append((same[0][0] if same else emoji, who))
            self._touch(said)
        if not is_there and own:
            said.reactions.remove(own)
            self._touch(said)
        return said

    def _at(self, seq: int) -> Said:
        require(0 < seq <= len(self.said), 404)
        return self.said[seq - 1]

    def _touch(self, said: Said) -> None:
        self.version += 1
        said.version = self.version

    # One's own

    def read(self, who: str, seq: int) -> None:
        seat = self.seat(who)
        require(seq <= len(self.said), 400)
        seat.mark = max(seat.mark, seq)

    def unread(self, who: str, seq: int) -> None:
        seat = self.seat(who)
        seat.mark = min(seat.mark, seq - 1)

    def pin(self, who: str, *, pinned: bool) -> None:
        self.seat(who).pinned = pinned

    def facts(self, who: str) -> dict[str, Any]:
        """What somebody who is there sees."""
        seat = self.seats[who]
        there = [one for one in self.said if not one.is_deleted]
        unread = [one for one in there if one.seq > seat.mark and one.sender not in (None, who)]
        return {
            "name": self.name,
            "topic": self.topic,
            "version": self.version,
            "last_seq": len(self.said),
            "last_message": there[-1].seq if there else None,
            "me": {
                "role": seat.role,
                "last_read_seq": seat.mark,
                "unread_count": len(unread),
                "mention_count": len([one for one in unread if who in one.mentions]),
                "pinned": seat.pinned,
            },
            "members": {name: one.role for name, one in self.present.items()},
            "messages": [one.facts for one in self.said],
        }
