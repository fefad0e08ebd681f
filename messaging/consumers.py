"""The socket door: sign in, parse, call, answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from channels.consumer import AsyncConsumer
from django.db import DatabaseError, InterfaceError
from rest_framework.exceptions import APIException

from accounts import access
from accounts.models import User
from accounts.serializers import own_documents
from chatproject.api import error_document
from chatproject.errors import Forbidden, Invalid, TryAgain
from chatproject.fields import check_bounds, checked_input, parse_any_json, parse_json
from chatproject.outages import DatabaseAway
from chatproject.pools import in_database_pool
from chatproject.realtime import MAX_FRAME_BYTES, NOT_SIGNED_IN
from chatproject.text import is_encodable
from chatproject.times import rfc3339
from chatproject.together import Together
from chatproject.wires import framed, wire_of
from messaging import handshakes, reading
from messaging.batches import Send
from messaging.frames import AuthFrame, Frame, frame_named
from messaging.handshakes import Pass, SignedIn, find_sign_in
from messaging.hub import hub
from messaging.serializers import MAX_CONTENT
from messaging.sockets import Notes, Socket
from messaging.writer import Outcome, writer

logger = logging.getLogger(__name__)

MAX_FIRST_FRAME_BYTES = 4_096
SIGN_IN_SECONDS = 5
HEARTBEAT_SECONDS = 25
MAX_SENDS_UNDER_WAY = 64
MAX_REF = 64

NOT_TEXT = 1003
TOO_BIG = 1009
COME_BACK = 1012


class ChatConsumer(AsyncConsumer):
    """One socket. Runs its own receive loop: a frame costs no layer channel and no extra task."""

    socket: Socket

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._sends, self._landed = 0, asyncio.Event()
        await receive()  # websocket.connect
        try:
            signed_in = await self._sign_in()
            if signed_in:
                await self._serve(signed_in)
        except DatabaseAway as error:
            logger.warning("a socket is not served, the database is away: %r", error)
            await self._close(COME_BACK)

    # Signing in

    async def _sign_in(self) -> SignedIn | None:
        """Who is there; None if the socket was closed instead."""
        token, key = handshakes.bearer(self.scope), handshakes.session_key(self.scope)
        if not token and key and not handshakes.is_own_origin(self.scope):
            await self._send({"type": "websocket.close", "code": NOT_SIGNED_IN})
            return None
        await self._send({"type": "websocket.accept"})
        if token or key:
            found = await find_sign_in(Pass(token, key))
        else:
            found = await self._sign_in_by_frame()
        if found is None:
            await self._close(NOT_SIGNED_IN)
        return found

    async def _sign_in_by_frame(self) -> SignedIn | None:
        try:
            message = await asyncio.wait_for(self._receive(), SIGN_IN_SECONDS)
            text = message.get("text") or ""
            if len(text.encode()) > MAX_FIRST_FRAME_BYTES:
                return None
            frame = parse_json(text)
            if not isinstance(frame, dict) or frame.get("type") != "auth":
                return None
            token = checked_input(AuthFrame, frame)["token"]
        except (TimeoutError, APIException, UnicodeError):
            return None
        return await find_sign_in(Pass(token))

    # Serving

    async def _serve(self, signed_in: SignedIn) -> None:
        user, self._sign_in_id = signed_in.sign_in.user, signed_in.sign_in.id
        self.socket = Socket(
            wire_of(self.scope, self._send),
            user=user,
            sign_in_id=self._sign_in_id,
            expires_at=signed_in.expires_at,
        )
        hub.ensure_started()
        try:
            self.socket.hold()
            if await hub.connect(self.socket):
                await self._say_hello(user)
            await self._read_frames()
        finally:
            hub.disconnect(self.socket)

    async def _say_hello(self, user: User) -> None:
        document, epoch = await greeting_of(user)
        hello = {
            "type": "hello",
            "protocol": 1,
            "epoch": epoch,
            "user": document,
            "expires_at": _time(self.socket.expires_at),
            "heartbeat": HEARTBEAT_SECONDS,
            "limits": {"frame_bytes": MAX_FRAME_BYTES, "content_chars": MAX_CONTENT},
        }
        self.socket.release(framed(orjson.dumps(hello)))

    async def _read_frames(self) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is None:
                self.socket.close(NOT_TEXT)
            elif (
                len(text) > MAX_FRAME_BYTES or len(text.encode(errors="replace")) > MAX_FRAME_BYTES
            ):
                self.socket.close(TOO_BIG)
            elif self.socket.may_say_more():
                await self._take(text)
                await self.socket.answered()

    async def _take(self, text: str) -> None:
        ref = None
        try:
            given = parse_any_json(text)
            if not isinstance(given, dict):
                raise Invalid("A frame is a JSON object.")
            ref = _ref(given)
            check_bounds(given)
            frame = frame_named(given.get("type"))
            await self._act(given["type"], frame, checked_input(frame.serializer, given), ref)
        except Exception as error:
            self._answer_error(ref, error)

    async def _act(self, kind: str, frame: Frame, given: dict[str, Any], ref: str | None) -> None:
        if kind == "message.send":
            await self._start_send(given, ref)
            return
        await self._sends_down_to(0)
        if kind == "ping":
            self._answer(ref, {})
        elif kind == "auth":
            self._answer(ref, await self._renew(given["token"]))
        elif kind == "presence.watch":
            await self._watch(frame, given, ref)
        else:
            self._answer(ref, await in_database_pool(_run, frame, self._sign_in_id, given))

    async def _watch(self, frame: Frame, given: dict[str, Any], ref: str | None) -> None:
        """Listens first and looks then, so that nobody comes or goes in between unseen.

        What is heard in between is told after the answer, which may be older.
        """
        watched, notes = {str(one) for one in given["user_ids"]}, Notes()
        hub.watch(notes, watched)
        try:
            answer = await in_database_pool(_run, frame, self._sign_in_id, given)
        finally:
            hub.watch(notes, [])
        self._answer(ref, answer)
        hub.watch(self.socket, watched)
        for noted in notes.frames:
            self.socket.push(noted)

    async def _start_send(self, given: dict[str, Any], ref: str | None) -> None:
        """Queues a send and reads on: several of one socket can share a transaction."""
        await self._sends_down_to(MAX_SENDS_UNDER_WAY - 1)
        self._sends += 1
        send = Send(
            sender_id=self.socket.user_id,
            sign_in_id=self._sign_in_id,
            chat_id=given["chat_id"],
            content=given["content"],
            client_id=given.get("client_id"),
            reply_to=given.get("reply_to"),
        )
        writer.submit(send, partial(self._finish_send, ref), asyncio.get_running_loop())

    def _finish_send(self, ref: str | None, outcome: Outcome) -> None:
        self._sends -= 1
        self._landed.set()
        if isinstance(outcome, Exception):
            self._answer_error(ref, outcome)
        else:
            self._answer(ref, {"message": outcome.message})

    async def _sends_down_to(self, count: int) -> None:
        """What comes after a send takes effect after it."""
        while self._sends > count:
            self._landed.clear()
            await self._landed.wait()

    async def _renew(self, token: str) -> dict[str, Any]:
        found = await find_sign_in(Pass(token))
        if found is None or found.sign_in.user_id != self.socket.user_id:
            raise Forbidden("This token is not one of yours.")
        hub.renew(self.socket, found.sign_in.id, found.expires_at)
        self._sign_in_id = found.sign_in.id
        return {"expires_at": _time(found.expires_at)}

    # Answers

    def _answer(self, ref: str | None, answer: dict[str, Any]) -> None:
        if ref is not None:
            self.socket.answer(framed(orjson.dumps({"type": "ok", "ref": ref, **answer})))

    def _answer_error(self, ref: str | None, error: Exception) -> None:
        document = error_document(_told(error))
        head = {"type": "error"} if ref is None else {"type": "error", "ref": ref}
        self.socket.answer(framed(orjson.dumps({**head, "errors": document["errors"]})))

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})


def _told(error: Exception) -> APIException:
    """What a client hears of an error; what nobody foresaw goes to the log."""
    if isinstance(error, APIException):
        return error
    if isinstance(error, DatabaseError | InterfaceError):
        logger.warning("a frame failed: %r", error)
        return TryAgain(retry_after=1)
    logger.error("a frame failed", exc_info=error)
    return APIException("The server failed. It is in its log.")


def _run(frame: Frame, sign_in_id: UUID, given: dict[str, Any]) -> dict[str, Any]:
    """Acts as whoever is signed in now: a sign-in that has ended opens nothing."""
    user = access.live_sign_in(sign_in_id).user
    assert frame.act is not None
    return frame.act(user, given)


def _greetings(users: Sequence[User]) -> list[tuple[dict[str, Any], str]]:
    epoch = reading.epoch()
    return [(document, epoch) for document in own_documents(users)]


greeting_of = Together(_greetings)


def _ref(given: dict[str, Any]) -> str | None:
    ref = given.get("ref")
    if ref is None:
        return None
    if not (isinstance(ref, str) and 1 <= len(ref) <= MAX_REF and is_encodable(ref)):
        raise Invalid("A ref is 1 to 64 characters of text.", attr="ref")
    return ref


def _time(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
