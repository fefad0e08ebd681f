"""Themes of chats, read from ``texts/``: what people say there, in short scenes.

A file opens with the chat's name, its topic and the keys of its cast. Scenes are parted by a line
of dashes. A line of a scene opens with who speaks and what becomes of it:
``B > * +👍3: text`` answers the line before, was edited, and got three thumbs. In a text, ``{A}``
is a speaker's first name, ``@A`` mentions one, ``{day}``, ``{time}`` and ``{n}`` vary.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from accounts.models import User

_FOLDER = Path(__file__).parent / "texts"
_HEAD = re.compile(r"([A-H])( >)?( \*)?(?: \+(\S+))?: (.*)")
_REACTION = re.compile(r"(\D+)(\d)")
_SLOT = re.compile(r"\{(day|time|n)\}")
_SPEAKER = re.compile(r"\{([A-H])\}|(?<!\S)@([A-H])\b")


@dataclass(frozen=True, slots=True)
class Line:
    speaker: str
    text: str
    is_reply: bool = False
    is_edited: bool = False
    reactions: tuple[tuple[str, int], ...] = ()

    @property
    def is_varied(self) -> bool:
        return "{" in self.text or "@" in self.text


@dataclass(frozen=True, slots=True)
class Theme:
    """The last scene is the one to end with: it leaves something open."""

    name: str
    topic: str
    cast: list[str]
    scenes: list[list[Line]]


@cache
def group_themes() -> list[Theme]:
    return _read("group-*.txt")


@cache
def direct_themes() -> list[Theme]:
    return _read("direct-*.txt")


def _read(pattern: str) -> list[Theme]:
    paths = sorted(_FOLDER.glob(pattern))
    return [_theme(path.read_text("utf-8")) for path in paths]


def _theme(source: str) -> Theme:
    head, *scenes = source.split("\n---\n")
    name, topic, cast = head.split("\n")
    return Theme(name, topic, cast.split(), [_scene(scene) for scene in scenes])


def _scene(source: str) -> list[Line]:
    found: list[list[str]] = []
    for row in source.rstrip("\n").split("\n"):
        if _HEAD.fullmatch(row):
            found.append([row])
        else:
            found[-1].append(row)
    return [_line(rows) for rows in found]


def _line(rows: list[str]) -> Line:
    head = _HEAD.fullmatch(rows[0])
    assert head
    speaker, reply, edited, reactions, first = head.groups()
    given = tuple((emoji, int(times)) for emoji, times in _REACTION.findall(reactions or ""))
    return Line(speaker, "\n".join([first, *rows[1:]]), bool(reply), bool(edited), given)


def spoken(line: Line, speakers: dict[str, User], rng: Random) -> str:
    """The text, with its slots filled. ``speakers`` has who speaks by letter."""
    if not line.is_varied:
        return line.text
    text = _SPEAKER.sub(lambda found: _named(found, speakers), line.text)
    return _SLOT.sub(lambda found: _VARIED[found[1]](rng), text)


def _named(found: re.Match[str], speakers: dict[str, User]) -> str:
    if found[1]:
        return speakers[found[1]].display_name.split()[0]
    return f"@{speakers[found[2]].username}"


_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_VARIED: dict[str, Callable[[Random], str]] = {
    "day": lambda rng: rng.choice(_DAYS),
    "time": lambda rng: f"{rng.randrange(7, 22)}:{rng.randrange(0, 60, 5):02}",
    "n": lambda rng: str(rng.randrange(2, 400)),
}
