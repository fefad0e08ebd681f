"""Takes the pictures of this folder, of an installation made for them; bin/screens starts it."""

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_DNS, uuid5

import httpx
from django.core.management import call_command
from django.db import transaction
from django.db.models import ManyToOneRel, Model
from django.utils.dateparse import parse_datetime
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from websockets.sync.client import connect

from accounts.models import User
from chatproject.testing.cast import PASSWORD
from chatproject.testing.stage import Server, prepare
from chats.models import Chat
from docs.screens.components import HEIGHT, WIDTH, components
from docs.screens.components import refused as send_refused
from docs.screens.story import COLOURS, DELETED, KINDS, NOW, ONLINE, PEOPLE, STORIES, Line, Story
from messaging.models import Message
from messaging.templatetags.chat_tags import colour

HERE = Path(__file__).parent
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
DRAFT = "I moved the hero copy to the left column so"


class Stage:
    """A server with the story on it. ``chats`` has the ids, by the story's names."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.chats: dict[str, str] = {}
        for username, name in PEOPLE.items():
            self._register(username, name)
        for key, story in STORIES.items():
            self.open(key, story)
        User.objects.update(last_seen=parse_datetime("2026-11-22T22:14:00Z"))

    def ask(self, who: str, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}
        url = f"{self.server.url}{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=30, verify=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _register(self, username: str, name: str) -> None:
        facts = {
            "username": username,
            "email": f"{username}@lakeside.example",
            "password": PASSWORD,
        }
        made = self.ask("nobody", "POST", "/auth/register", display_name=name, **facts)
        self.ids[username] = _settle(User, made["user"]["id"], username)
        signed_in = {"username": username, "password": PASSWORD}
        self.tokens[username] = self.ask("nobody", "POST", "/auth/login", **signed_in)["access"]

    def open(self, key: str, story: Story) -> None:
        owner, *others = story.members.split()
        members = [self.ids[name] for name in others]
        kind = {"type": "group", "name": story.name} if story.name else {"type": "direct"}
        made = self.ask(owner, "POST", "/chats", members=members, **kind)["id"]
        chat = _settle(Chat, made, key)
        self.chats[key] = chat
        if story.topic:
            self.ask(owner, "PATCH", f"/chats/{chat}", topic=story.topic)
        said: list[str] = []
        for line in story.lines:
            said.append(self._say(chat, line, said))
        _date(chat, story)
        last = self.ask("ben", "GET", f"/chats/{chat}")["last_seq"]
        for reader in ("ben", *story.seen_by.split()):
            self.ask(reader, "POST", f"/chats/{chat}/read", seq=last)
        if story.me:
            self.ask("ben", "PATCH", f"/chats/{chat}", me=story.me)

    def leave_unread(self) -> None:
        """What a picture before this one has read."""
        for key, story in {**STORIES, "kinds": KINDS}.items():
            if story.unread and key in self.chats:
                last = self.ask("ben", "GET", f"/chats/{self.chats[key]}")["last_seq"]
                seq = last - story.unread + 1
                self.ask("ben", "POST", f"/chats/{self.chats[key]}/unread", seq=seq)

    def _say(self, chat: str, line: Line, said: list[str]) -> str:
        at = f"/chats/{chat}/messages"
        answered = {"reply_to": said[-line.answers]} if line.answers else {}
        text = f"{line.text} …" if line.edited else line.text
        made = self.ask(line.sender, "POST", at, content=text, **answered)["id"]
        if line.edited:
            self.ask(line.sender, "PATCH", f"{at}/{made}", content=line.text)
        for people, emoji in line.reactions.items():
            for who in people.split():
                self.ask(who, "PUT", f"{at}/{made}/reactions/{emoji}")
        if line.text == DELETED:
            self.ask(line.sender, "DELETE", f"{at}/{made}")
        return str(made)


def _settle(model: type[Model], was: str, name: str) -> str:
    """Gives a row an id that is the same at each run, and with it its colour."""
    wanted = COLOURS.get(name)
    ids = (str(uuid5(NAMESPACE_DNS, f"{name}-{number}")) for number in count())
    new = next(one for one in ids if wanted is None or colour(one) == wanted)
    with transaction.atomic():
        model._default_manager.filter(pk=was).update(id=new)
        for relation in model._meta.get_fields(include_hidden=True):
            if isinstance(relation, ManyToOneRel):
                to, table = relation.field.attname, relation.related_model._default_manager
                table.filter(**{to: was}).update(**{to: new})
    return new


def _date(chat: str, story: Story) -> None:
    """As if it had all been said when the story has it."""
    begin = parse_datetime("2026-11-02T09:00:00Z")
    messages = Message.objects.filter(chat_id=chat)
    messages.filter(sender=None).update(created_at=begin)
    moments = [parse_datetime(f"{line.at.replace(' ', 'T')}:00Z") for line in story.lines]
    said = messages.exclude(sender=None).order_by("seq")
    for message, moment in zip(said, moments, strict=True):
        messages.filter(id=message.id).update(created_at=moment)
    last = moments[-1] if moments else begin
    Chat.objects.filter(id=chat).update(active_at=last, created_at=begin)


@contextmanager
def others_online(stage: Stage) -> Iterator[None]:
    """While it lasts some are there, and Ana types."""
    url, done = stage.server.url.replace("http", "ws") + "/ws", threading.Event()
    with ExitStack() as stack:
        sockets = [stack.enter_context(_socket(url, stage.tokens[who])) for who in ONLINE]

        def type_on() -> None:
            while not done.wait(1):
                for key in ("ana", "regatta"):
                    sockets[0].send(json.dumps({"type": "typing", "chat_id": stage.chats[key]}))
                for one in sockets:
                    one.send(json.dumps({"type": "ping"}))

        thread = threading.Thread(target=type_on)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _socket(url: str, token: str) -> connect:
    return connect(url, additional_headers={"Authorization": f"Bearer {token}"}, max_queue=None)


# What is open in a picture


def nothing(page: Page) -> None:
    page.wait_for_timeout(1200)


def typing(page: Page) -> None:
    page.wait_for_timeout(4000)


def message_menu(page: Page) -> None:
    page.locator("#composer textarea").blur()
    page.locator(".message").filter(has_text="Then I would call it done").hover()
    page.get_by_role("button", name="More", exact=True).click()
    page.wait_for_timeout(2000)


def emoji_picker(page: Page) -> None:
    page.get_by_role("button", name="Emoji", exact=True).click()
    page.wait_for_timeout(2000)
    page.get_by_role("searchbox", name="Search emoji").focus()


def new_chat(page: Page) -> None:
    page.locator("[data-opens=new-chat]:visible").first.click()
    page.wait_for_timeout(1000)
    for name in ("Ana Silva", "سارة حداد", "林美玲"):
        page.locator(".dialog .person").filter(has_text=name).first.click()
        page.wait_for_timeout(700)


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.wait_for_timeout(500)
    page.keyboard.type("re", delay=50)
    page.wait_for_timeout(1500)


def shortcuts(page: Page) -> None:
    page.keyboard.press("Control+/")
    page.wait_for_timeout(1000)


def wrong_password(page: Page) -> None:
    page.get_by_label("Username or email").fill("ben@lakeside.example")
    page.locator("[type=password]").fill("not the right one")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)


def without_details(page: Page) -> None:
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Close details").click()


def offline(page: Page) -> None:
    without_details(page)
    send_refused(page, "Here is the whole safety handbook, in case you want to read it on the way.")
    page.context.set_offline(True)
    page.locator("#composer textarea").fill("The short version fits on one page anyway.")
    page.keyboard.press("Enter")
    page.locator("#composer textarea").fill("I can also print it")
    page.wait_for_timeout(6000)


class Picture(NamedTuple):
    name: str
    where: str
    width: int
    height: int
    theme: str
    prepare: Callable[[Page], None] = nothing


MOCKS = [
    Picture("chat-1440-light", "regatta", 1440, 1136, "light", typing),
    Picture("chat-1440-dark", "regatta", 1440, 1136, "dark", typing),
    Picture("chat-1024-light", "website", 1024, 868, "light", message_menu),
    Picture("emoji-picker-1024-dark", "website", 1024, 868, "dark", emoji_picker),
    Picture("phone-list-light", "/", 390, 844, "light"),
    Picture("phone-chat-dark", "family", 390, 844, "dark"),
    Picture("login-light", "/login", 1200, 800, "light", wrong_password),
    Picture("login-dark", "/login", 1200, 800, "dark", wrong_password),
    Picture("empty-chat-dark", "empty", 1200, 800, "dark", without_details),
    Picture("new-group", "website", 1200, 800, "light", new_chat),
    Picture("command-palette-dark", "website", 1200, 800, "dark", palette),
    Picture("settings-light", "/settings#appearance", 1200, 832, "light"),
    Picture("offline-failed-light", "jonas", 1200, 880, "light", offline),
]
COMPONENTS = [
    Picture("components-light", "kinds", WIDTH, HEIGHT, "light", components),
    Picture("components-dark", "kinds", WIDTH, HEIGHT, "dark", components),
]
STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "login": ("/login", nothing),
    "setup": ("", nothing),
    "register": ("/register", nothing),
    "list": ("/", nothing),
    "chat": ("regatta", nothing),
    "hostile": ("hostile", nothing),
    "empty": ("empty", nothing),
    "new": ("/new", nothing),
    "dialog": ("/", new_chat),
    "palette": ("website", palette),
    "picker": ("website", emoji_picker),
    "shortcuts": ("website", shortcuts),
    "settings": ("/settings", nothing),
    "group-settings": ("regatta/settings", nothing),
    "not-found": ("/nowhere", nothing),
}
SIZES = [(320, 640), (800, 700), (1440, 900)]


class Studio:
    """Takes pictures, with one browser profile for each kind of device."""

    stage: Stage

    def __init__(self, server: Server, browser: Browser, only: list[str]) -> None:
        self.server, self.browser, self.only = server, browser, only
        self.profiles: dict[tuple[Any, ...], BrowserContext] = {}

    def wants(self, file: Path) -> bool:
        return not self.only or any(word in file.stem for word in self.only)

    def take(self, picture: Picture, file: Path, *, scale: float) -> None:
        if not self.wants(file):
            return
        page = self._profile(picture, scale).new_page()
        self.stage.leave_unread()
        page.set_viewport_size({"width": picture.width, "height": picture.height})
        page.clock.install(time=NOW)
        page.goto(self._path(picture.where))
        picture.prepare(page)
        shoot(page, file)
        page.close()
        if picture.prepare in (offline, components):
            # Else what waits is sent by the next page.
            self.profiles.pop(self._key(picture, scale)).close()

    def _key(self, picture: Picture, scale: float) -> tuple[Any, ...]:
        is_signed_in = picture.where not in ("/login", "/register")
        return picture.theme, scale, picture.width < 500, is_signed_in

    def _profile(self, picture: Picture, scale: float) -> BrowserContext:
        key = self._key(picture, scale)
        is_phone = picture.width < 500
        if key not in self.profiles:
            self.profiles[key] = self.browser.new_context(
                base_url=self.server.url,
                color_scheme=picture.theme,
                device_scale_factor=scale,
                has_touch=is_phone,
                is_mobile=is_phone,
                locale="en-GB",
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            if key[-1]:
                self._sign_in(self.profiles[key])
        return self.profiles[key]

    def _sign_in(self, profile: BrowserContext) -> None:
        """As Ben, who left something half written."""
        page = profile.new_page()
        page.goto("/login")
        page.get_by_label("Username or email").fill("ben")
        page.locator("[type=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        page.goto(self._path("website"))
        page.locator("#composer textarea").fill(DRAFT)
        page.wait_for_timeout(1000)
        page.close()

    def _path(self, where: str) -> str:
        if where.startswith("/"):
            return where
        key, *rest = where.split("/")
        return "/".join([f"/c/{self.stage.chats[key]}", *rest])


def shoot(page: Page, file: Path) -> None:
    if file.suffix == ".jpg":
        page.screenshot(path=file, type="jpeg", quality=70)
    else:
        page.screenshot(path=file)


def take_first_run(studio: Studio, sheet: Path) -> None:
    """As long as nobody is registered; whoever is then goes again."""
    if not any(map(studio.wants, (HERE / "first-run-light.png", sheet / "setup"))):
        return
    link = re.findall(r"http\S+/setup\S+", studio.server.log.read_text())[0]
    for picture, file, scale in _states("setup", link, sheet):
        shoot(_open(studio, picture, scale), file)
    _set_up(_open(studio, Picture("", link, 1200, 800, "light"), 1))
    Chat.objects.all().delete()
    User.objects.all().delete()


def _open(studio: Studio, picture: Picture, scale: float) -> Page:
    options = {"color_scheme": picture.theme, "device_scale_factor": scale, "locale": "en-GB"}
    page = studio.browser.new_page(base_url=studio.server.url, timezone_id="UTC", **options)
    page.clock.install(time=NOW)
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    page.goto(picture.where)
    return page


def _set_up(page: Page) -> None:
    page.get_by_label("Username").fill("ben")
    page.get_by_label("Email").fill("ben@lakeside.example")
    page.locator("[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/*")
    User.objects.update(display_name=PEOPLE["ben"])
    Message.objects.update(created_at=NOW)
    chat = _settle(Chat, Chat.objects.get().id, "first")
    _settle(User, User.objects.get().id, "ben")
    page.goto(f"/c/{chat}")
    without_details(page)
    page.locator("#composer textarea").blur()
    shoot(page, HERE / "first-run-light.png")


def _states(name: str, where: str, sheet: Path) -> Iterator[tuple[Picture, Path, float]]:
    """A page in every width and theme."""
    _, prepare = STATES[name]
    for width, height in SIZES:
        for theme in ("light", "dark"):
            picture = Picture(name, where, width, height, theme, prepare)
            file = sheet / f"{name}-{width}-{theme}.jpg"
            yield picture, file, 1 if width < 500 else 0.5


def take_components(stage: Stage, studio: Studio) -> None:
    """With a chat of their own, for as long as they take."""
    files = [HERE / f"{picture.name}.png" for picture in COMPONENTS]
    if not any(map(studio.wants, files)):
        return
    for picture, file in zip(COMPONENTS, files, strict=True):
        stage.open("kinds", KINDS)
        studio.take(picture, file, scale=1)
        stage.ask("priya", "DELETE", f"/chats/{stage.chats.pop('kinds')}")


def take_all(server: Server, only: list[str]) -> None:
    sheet = HERE / "sheet"
    sheet.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=ARGUMENTS
        )
        studio = Studio(server, browser, only)
        take_first_run(studio, sheet)
        studio.stage = stage = Stage(server)
        with others_online(stage):
            for picture in MOCKS:
                studio.take(picture, HERE / f"{picture.name}.png", scale=1)
            take_components(stage, studio)
            for name, (where, _) in STATES.items():
                for picture, file, scale in _states(name, where, sheet) if where else ():
                    studio.take(picture, file, scale=scale)
        browser.close()


def write_sheet() -> None:
    """The table of all of them."""
    columns = [f"{width} {theme}" for width, _ in SIZES for theme in ("light", "dark")]
    lines = [
        "# Every page, narrow and wide, light and dark",
        "",
        "Taken by `bin/screens`; `bin/screens WORD` takes those whose name has the word.",
        "",
        "The pictures beside this file show what the pictures of the design show. Two of those have no",
        "counterpart yet: the search of messages and the lightbox come in a later version.",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---{'|---' * len(columns)}|",
    ]
    for name in STATES:
        files = [f"sheet/{name}-{column.replace(' ', '-')}.jpg" for column in columns]
        cells = [f'<img src="{file}" width="200" alt="{name}">' for file in files]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    (HERE / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    logging.disable(logging.INFO)
    prepare()
    call_command("migrate", verbosity=0, interactive=False)
    server = Server(SITE_NAME="Lakeside Club")
    server.start()
    try:
        take_all(server, sys.argv[1:])
    finally:
        server.stop()
    write_sheet()
