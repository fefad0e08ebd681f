"""Template tags: icons, avatars, and what a chat is called."""

import functools
import json
import zlib
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html

from messaging.formatting import preview

register = template.Library()

AVATAR_COLOURS = 8
QUICK_REACTIONS = ["👍", "❤️", "😂", "🎉", "🙏"]
SYSTEM_ICONS = {
    "created": "users",
    "added": "user-add",
    "removed": "user",
    "left": "out",
    "renamed": "edit",
    "role": "users",
}
CORE_MODULES = (
    "app socket store events dom keep timeline reading attention composer sidebar keyboard".split()
)
"""Loaded side by side, so that no import waits for the one that names it."""


@register.simple_tag
def icon(name: str) -> str:
    """An icon of the sprite, for eyes alone."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"></use></svg>', name)


@register.filter
def system_icon(kind: str | None) -> str:
    return SYSTEM_ICONS.get(kind or "", "info")


@register.simple_tag
@functools.cache
def favicon() -> str:
    """The page's picture, as an address that needs no request."""
    file = settings.BASE_DIR / "static" / "favicon.svg"
    return f"data:image/svg+xml,{quote(file.read_text().strip())}"


@register.filter
def as_json(facts: dict[str, Any]) -> str:
    """For a script, between quotes and by way of ``escapejs``."""
    return json.dumps(facts)


@register.simple_tag
def quick_reactions() -> list[str]:
    return QUICK_REACTIONS


@register.simple_tag
def module_urls() -> list[str]:
    """Where the page's core modules are."""
    return [static(f"js/{name}.js") for name in CORE_MODULES]


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and the last word, or the first character."""
    words = name.split()
    if len(words) < 2 or not words[0][0].isascii():
        return name[:1].upper()
    return (words[0][0] + words[-1][0]).upper()


@register.filter
def colour(key: str | None) -> int:
    """Which of the avatar colours belongs to a name or id; the script counts the same."""
    return zlib.crc32((key or "").encode()) % AVATAR_COLOURS


@register.filter
def is_quiet(chat: dict[str, Any] | None) -> bool:
    """One wants to hear of less than all of it, so it counts where one is mentioned only."""
    me = chat["me"] if chat else {"notify": "all", "muted_until": None}
    is_muted = me["muted_until"] and datetime.fromisoformat(me["muted_until"]) > timezone.now()
    return bool(is_muted or me["notify"] != "all")


@register.filter
def picture_key(chat: dict[str, Any] | None) -> str:
    """Whose colour a chat has: the other person's, or its own."""
    return str((chat["peer"] or chat)["id"]) if chat else ""


@register.filter
def title(chat: dict[str, Any] | None) -> str:
    """What a chat is called: its name, or the other person's."""
    if not chat:
        return ""
    if chat["peer"]:
        return str(chat["peer"]["display_name"])
    return chat["name"] or "Deleted account"


@register.filter
def last_line(chat: dict[str, Any] | None, reader_id: str) -> str:
    """One line of the newest message, with who said it."""
    if not chat:
        return ""
    message = chat["last_message"]
    if message is None:
        return "No messages yet"
    text = preview(message["content"])
    if message["system"] or not message["sender"]:
        return text
    if message["sender_id"] == reader_id:
        return f"You: {text}"
    return text if chat["peer"] else f"{message['sender']['display_name']}: {text}"


@register.filter
def presence_words(user: dict[str, Any]) -> str:
    """Whether somebody is there, or when they were; in UTC, as the other times are."""
    if user["is_online"] or not user["last_seen"]:
        return "Online" if user["is_online"] else "Offline"
    then = datetime.fromisoformat(user["last_seen"])
    ago = (timezone.now().date() - then.date()).days
    day = {0: "", 1: "yesterday "}.get(ago, date_format(then, "l " if ago < 7 else "j F Y "))
    return f"Last seen {day}{then:%H:%M}"


@register.filter
def short_time(moment: str | None) -> str:
    """The time of today or the date of another day, in UTC: the script knows the reader's zone."""
    if not moment:
        return ""
    then = datetime.fromisoformat(moment)
    is_today = then.date() == timezone.now().date()
    return date_format(then, "H:i" if is_today else "j M")


@register.filter
def count(number: int | None) -> str:
    """Up to 99, as badges show it."""
    if not number:
        return ""
    return "99+" if number > 99 else str(number)


@register.filter
def last_seq(messages: list[dict[str, Any]]) -> int:
    return messages[-1]["seq"] if messages else 0
