"""Imports point one way, doors do not write, and dangerous words stay where they belong."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("chatproject", "accounts", "chats", "messaging")
LAYERS = {"models": 0, "access": 1, "actions": 2, "management": 3}
DOORS = {"api", "views", "consumers", "admin"}
RANKS = LAYERS | dict.fromkeys(DOORS, 3)
ABOVE_ALL_ROOMS = {"urls", "asgi", "settings", "management", "testing"}
WRITES = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
RAW_HTML = re.compile(r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b")


def imported_modules(tree: ast.Module, package: list[str]) -> Iterator[list[str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + node.module.split(".") if node.module else base
            yield from ([*base, alias.name] for alias in node.names)


def import_fault(room: str, kind: str, target: list[str]) -> bool:
    if target[0] not in ROOMS:
        return False
    upwards = ROOMS.index(target[0]) > ROOMS.index(room)
    exempt = room == "chatproject" and kind in ABOVE_ALL_ROOMS
    # The foundation's api and the like serve all layers.
    has_layers = target[0] != "chatproject" and len(target) > 1
    too_high = has_layers and RANKS.get(target[1], 0) > RANKS.get(kind, 3)
    return (upwards and not exempt) or too_high


def is_write(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "publish"
    if not isinstance(call.func, ast.Attribute):
        return False
    name = re.sub(r"^a(?=create|save|bulk|get|update|delete)", "", call.func.attr)
    if name in WRITES or name == "publish":
        return True
    # A dict has update(), and delete() with a key is a cache's.
    of_a_queryset = ".objects." in ast.unparse(call.func)
    return (name == "update" and of_a_queryset) or (name == "delete" and not call.args)


def names_mark_safe(node: ast.AST) -> bool:
    names = {getattr(node, field, None) for field in ("id", "attr", "name")}
    return bool(names & {"mark_safe", "SafeString", "SafeText"})


def faults(path: str, source: str) -> list[str]:
    """What is wrong with the module at the path (from the root), one sentence a fault."""
    parts = path.removesuffix(".py").split("/")
    room, kind = parts[0], parts[1]
    tree = ast.parse(source)
    found = [
        f"{path} imports {'.'.join(target)}"
        for target in imported_modules(tree, parts[:-1])
        if import_fault(room, kind, target)
    ]
    if kind in DOORS:
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        found += [
            f"{path}:{call.lineno} writes: {ast.unparse(call)}" for call in filter(is_write, calls)
        ]
    if parts[-1] != "formatting" and any(map(names_mark_safe, ast.walk(tree))):
        found.append(f"{path} calls HTML safe")
    return found


def modules() -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    free = {"tests", "testing", "conftest.py", "migrations"}
    return [path for path in found if not free & set(path.parts)]


def test_every_module_keeps_to_the_rules() -> None:
    checked = [(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in modules()]
    assert len(checked) > 10
    assert [fault for path, source in checked for fault in faults(path, source)] == []


def test_at_most_one_script_writes_raw_html() -> None:
    scripts = (ROOT / "static" / "js").rglob("*.js")
    assert len([path.name for path in scripts if RAW_HTML.search(path.read_text("utf-8"))]) <= 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("chatproject/realtime.py", "from chats.models import Chat"),
        ("accounts/actions.py", "import chats"),
        ("chats/actions/members.py", "def f():\n    from messaging import models"),
        ("chats/models.py", "from .actions import rename_chat"),
        ("chats/models.py", "from . import access"),
        ("chats/access.py", "from chats import actions"),
        ("chats/actions/members.py", "from ..api import ChatList"),
        ("messaging/actions.py", "from chats.views import page"),
        ("chats/api.py", "chat.save()"),
        ("chats/api/members.py", "Membership.objects.filter(chat=chat).update(role='owner')"),
        ("messaging/consumers.py", "publish(chat, events)"),
        ("messaging/consumers.py", "realtime.publish(chat, events)"),
        ("messaging/admin.py", "message.delete()"),
        ("messaging/consumers.py", "await message.asave()"),
        ("messaging/views.py", "from django.utils.safestring import mark_safe"),
        ("messaging/views.py", "safestring.mark_safe(text)"),
    ],
)
def test_a_module_that_breaks_a_rule_is_found(path: str, source: str) -> None:
    assert len(faults(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("chatproject/asgi.py", "from messaging.consumers import Socket"),
        ("messaging/actions.py", "from chats.access import chat_of\nfrom .models import Message"),
        ("chats/actions.py", "from chatproject.api import parse_uuid"),
        ("chats/views.py", "from .actions import rename_chat\nfrom .api import ChatList"),
        ("chats/api.py", "answer.update(a=1)\ncache.delete('key')\npost_message(content='')"),
        ("chats/actions.py", "chat.save()\npublish(chat, [])"),
        ("messaging/formatting.py", "from django.utils.safestring import mark_safe"),
    ],
)
def test_a_module_that_keeps_to_them_is_not(path: str, source: str) -> None:
    assert faults(path, source) == []
