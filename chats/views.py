"""The pages of chats: starting one, and managing a group."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts import actions as account_actions
from accounts import first_run
from accounts.api import origin_of
from accounts.forms import SetupForm
from accounts.models import SignIn, User
from accounts.serializers import own_document, user_documents
from accounts.views import EntranceView, SignedInView
from chatproject.errors import NotThere, Problem
from chatproject.fields import parse_uuid
from chatproject.snapshots import snapshot
from chats import access, actions
from chats.forms import GroupForm, OwnSettingsForm, RoleForm
from chats.models import Chat, Membership
from chats.serializers import chat_document, chat_documents, member_documents

MAX_CHATS_SHOWN = MAX_MEMBERS_SHOWN = 200
MAX_PEOPLE_SHOWN = 50
MAX_NAMED = 3
FOR_GOOD = datetime(9999, 12, 31, tzinfo=UTC)
ASKED_FIRST = {"leave", "delete"}
"""Done once one is sure: the script asks in a dialog, else a page of its own does."""


@snapshot()
def shell_context(request: HttpRequest) -> dict[str, Any]:
    """What the frame around every chat page shows: oneself and one's chats."""
    user: Any = request.user
    ids = Chat.objects.of(user).by_activity().values_list("id", flat=True)
    chats = chat_documents(user, list(ids[:MAX_CHATS_SHOWN]))
    return {
        "me": own_document(user),
        "pinned": [chat for chat in chats if chat["me"]["pinned"]],
        "recent": [chat for chat in chats if not chat["me"]["pinned"]],
        "chats": chats,
    }


def seat_or_404(user: Any, chat_id: UUID) -> Membership:
    try:
        return access.seat_in(user, chat_id)
    except NotThere:
        raise Http404 from None


class SetupView(EntranceView):
    """Makes the owner of a new installation, and a first group to land in."""

    form_class = SetupForm
    template_name = "chats/setup.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if first_run.is_over():
            messages.info(request, "This server is set up already. Log in.")
            return redirect("login")
        if not first_run.opens(self._token):
            return render(request, "chats/setup_refused.html", status=403)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(self.form_class())

    def _enter(self, given: dict[str, Any]) -> tuple[SignIn, bool]:
        origin = origin_of(self.request)
        owner = account_actions.make_owner(token=self._token, address=origin["address"], **given)
        self._chat = actions.create_group(actor=owner, name=settings.SITE_NAME[:100])
        return account_actions.start_sign_in(user=owner, kind=SignIn.Kind.WEB, **origin), True

    def _landing(self) -> str:
        return reverse("chat", args=[self._chat.id])

    @property
    def _token(self) -> str:
        return self.request.POST.get("token") or self.request.GET.get("token") or ""


class NewChatView(SignedInView):
    """One person makes a direct chat; several, or a name, make a group."""

    def get(self, request: HttpRequest) -> HttpResponse:
        picked = self._people(request.GET.getlist("member"))
        found = User.objects.filter(is_active=True).exclude(id=request.user.id)
        query = request.GET.get("q", "").strip()
        found = found.matching(query) if query else found
        people = found.exclude(id__in=[user.id for user in picked]).order_by("display_name", "id")
        context = {
            **shell_context(request),
            "q": query,
            "name": request.GET.get("name", ""),
            "picked": user_documents(picked),
            "people": user_documents(people[:MAX_PEOPLE_SHOWN]),
        }
        return render(request, "chats/new.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        people = self._people(request.POST.getlist("member"))
        name = request.POST.get("name", "").strip()[:100]
        if not people and not name:
            messages.error(request, "Pick somebody first.")
            return redirect("new-chat")
        try:
            chat = self._create(people, name)
        except Problem as problem:
            messages.error(request, str(problem.detail))
            return redirect("new-chat")
        return redirect("chat", chat_id=chat.id)

    def _create(self, people: list[User], name: str) -> Chat:
        actor: Any = self.request.user
        if len(people) == 1 and not name:
            return actions.create_direct_chat(actor=actor, peer=people[0])[0]
        name = name or names_of(people)
        return actions.create_group(actor=actor, name=name, members=people)

    def _people(self, ids: list[str]) -> list[User]:
        found = [parse_uuid(value) for value in ids[:500]]
        rows = User.objects.filter(is_active=True, id__in=[one for one in found if one])
        return list(rows.exclude(id=self.request.user.id))


def names_of(people: list[User]) -> str:
    """ "Ana, Ben and Cleo": what a group is called that nobody named."""
    names = [user.display_name.split()[0] for user in people[:MAX_NAMED]]
    if len(people) > MAX_NAMED:
        names.append(f"{len(people) - MAX_NAMED} more")
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))[:100]


class ChatSettingsView(SignedInView):
    """A chat's name, topic and members. Each button says which action it is."""

    def get(self, request: HttpRequest, chat_id: UUID) -> HttpResponse:
        return self._show(seat_or_404(request.user, chat_id))

    def post(self, request: HttpRequest, chat_id: UUID) -> HttpResponse:
        seat = seat_or_404(request.user, chat_id)
        action = request.POST.get("action", "")
        if action in ASKED_FIRST and "is_sure" not in request.POST:
            return self._ask(seat, action)
        try:
            target = self._act(seat, action)
        except NotThere:
            raise Http404 from None
        except Problem as problem:
            messages.error(request, str(problem.detail))
            target = None
        return redirect(target or reverse("chat-settings", args=[chat_id]))

    def _act(self, seat: Membership, action: str) -> str | None:
        acts = {
            "save": self._save,
            "own": self._save_own,
            "add": self._add,
            "remove": self._remove,
            "role": self._change_role,
            "leave": self._leave,
            "delete": self._delete,
        }
        if action not in acts:
            raise NotThere()
        return acts[action](seat)

    def _save(self, seat: Membership) -> None:
        form = GroupForm(self.request.POST)
        if not form.is_valid():
            messages.error(self.request, "A group has a name of 1 to 100 characters.")
            return
        actions.update_chat(actor=self._actor, chat=seat.chat, **form.cleaned_data)
        messages.success(self.request, "Saved")

    def _save_own(self, seat: Membership) -> None:
        form = OwnSettingsForm(self.request.POST)
        if not form.is_valid():
            messages.error(self.request, "Not saved. Choose again.")
            return
        given = form.cleaned_data
        if (muted := given.pop("muted")) != "keep":
            given["muted_until"] = _muted_until(muted)
        actions.change_own_settings(actor=self._actor, chat=seat.chat, **given)
        messages.success(self.request, "Saved")

    def _add(self, seat: Membership) -> None:
        ids = [parse_uuid(value) for value in self.request.POST.getlist("member")]
        people = access.people([one for one in ids if one])
        actions.add_members(actor=self._actor, chat=seat.chat, users=people)

    def _remove(self, seat: Membership) -> None:
        actions.remove_member(actor=self._actor, chat=seat.chat, user_id=self._member_id)

    def _change_role(self, seat: Membership) -> None:
        form = RoleForm(self.request.POST)
        if form.is_valid():
            role = form.cleaned_data["role"]
            actions.set_role(actor=self._actor, chat=seat.chat, user_id=self._member_id, role=role)

    def _leave(self, seat: Membership) -> str:
        actions.remove_member(actor=self._actor, chat=seat.chat, user_id=self._actor.id)
        return "/"

    def _delete(self, seat: Membership) -> str:
        actions.delete_chat(actor=self._actor, chat=seat.chat)
        return "/"

    @property
    def _actor(self) -> Any:
        return self.request.user

    @property
    def _member_id(self) -> UUID:
        member_id = parse_uuid(self.request.POST.get("member", ""))
        if member_id is None:
            raise NotThere()
        return member_id

    def _ask(self, seat: Membership, action: str) -> HttpResponse:
        facts = {**shell_context(self.request), **self._about(seat), "action": action}
        return render(self.request, "chats/sure.html", facts)

    def _about(self, seat: Membership) -> dict[str, Any]:
        return {
            "chat": chat_document(self._actor, seat.chat),
            "is_owner": seat.role == Membership.Role.OWNER,
            "heir": _heir_of(seat),
        }

    def _show(self, seat: Membership) -> HttpResponse:
        chat = seat.chat
        query = self.request.GET.get("q", "").strip()
        context = {
            **shell_context(self.request),
            **self._about(seat),
            "members": member_documents(chat, present_members(chat)),
            "own": OwnSettingsForm(initial=_own_settings(seat)),
            "muted_until": seat.muted_until if _is_muted(seat) else None,
            "is_muted_for_good": seat.muted_until == FOR_GOOD,
            "can_manage": seat.can_manage and not chat.is_direct,
            "roles": Membership.Role.choices,
            "q": query,
            "people": user_documents(_outsiders(chat, query)) if seat.can_manage else [],
        }
        return render(self.request, "chats/settings.html", context)


def _own_settings(seat: Membership) -> dict[str, Any]:
    muted = "keep" if _is_muted(seat) else "off"
    return {"notify": seat.notify, "pinned": seat.pinned, "muted": muted}


def _is_muted(seat: Membership) -> bool:
    return seat.muted_until is not None and seat.muted_until > timezone.now()


def _muted_until(muted: str) -> datetime | None:
    if muted == "off":
        return None
    return FOR_GOOD if muted == "always" else timezone.now() + timedelta(hours=int(muted))


def _heir_of(seat: Membership) -> Membership | None:
    """Who owns the group once its only owner has left; None while there is another owner."""
    others = Membership.objects.present().filter(chat=seat.chat).exclude(id=seat.id)
    if seat.role != Membership.Role.OWNER or others.filter(role=Membership.Role.OWNER).exists():
        return None
    return others.heir()


def present_members(chat: Chat) -> list[Membership]:
    rows = Membership.objects.present().filter(chat=chat).select_related("user")
    return list(rows.order_by("joined_at", "id")[:MAX_MEMBERS_SHOWN])


def _outsiders(chat: Chat, query: str) -> list[User]:
    """People who could be added; only those that match where somebody searches."""
    there = Membership.objects.present().filter(chat=chat).values("user")
    rows = User.objects.filter(is_active=True).exclude(id__in=there)
    rows = rows.matching(query) if query else rows
    return list(rows.order_by("display_name", "id")[:MAX_PEOPLE_SHOWN])
