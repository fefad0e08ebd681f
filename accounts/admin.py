"""People and their sign-ins in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    UserChangeForm,
    UserCreationForm,
)
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts import actions
from accounts.models import SignIn, User
from chatproject.admin import BoundedPaginator, ReadOnlyAdmin, links, list_of, site, uuid_in

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
WRITTEN_BY_OTHERS = ("seats_version", "settings", "changed_at")

site.register(Group, GroupAdmin)


class EmailIsFree(forms.ModelForm):
    def clean_email(self):
        email = self.cleaned_data["email"]
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(email__iexact=email).exists():
            raise ValidationError("This address is in use.", code="unique")
        return email


class AddForm(EmailIsFree, UserCreationForm):
    pass


class ChangeForm(EmailIsFree, UserChangeForm):
    pass


class PasswordForm(AdminPasswordChangeForm):
    """There is no other way to sign in, so a password may not be taken away."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        self.fields["password1"].required = self.fields["password2"].required = True


class OnlineFilter(admin.SimpleListFilter):
    title = "presence"
    parameter_name = "online"

    def lookups(self, request, model_admin):
        return [("yes", "Online"), ("no", "Offline")]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(is_online=self.value() == "yes")


@admin.register(User, site=site)
class PeopleAdmin(UserAdmin):
    """Nobody is deleted here: what they said would lose its author."""

    form, add_form, change_password_form = ChangeForm, AddForm, PasswordForm
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_display = (
        "username",
        "display_name",
        "email",
        "online",
        "last_seen",
        "is_active",
        "is_staff",
        "is_bot",
        "created_at",
    )
    list_filter = (OnlineFilter, "is_active", "is_staff", "is_superuser", "is_bot")
    search_fields = ("username", "display_name", "email")
    search_help_text = "Any part of a username, display name or email"
    ordering = ("-id",)
    readonly_fields = (
        "username",
        "id",
        "is_active",
        "is_bot",
        "online",
        "last_seen",
        "created_at",
        "look_at",
    )
    fieldsets = (
        (None, {"fields": ("username", "display_name", "email", "password")}),
        ("Presence", {"fields": ("is_active", "online", "last_seen", "created_at", "is_bot")}),
        ("More", {"fields": ("look_at", "id")}),
        ("Rights in this admin", {"fields": RIGHTS}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "display_name", "password1", "password2")}),
    )
    actions = ("deactivate", "reactivate", "end_all_sessions")

    def get_queryset(self, request):
        # A save writes all fields that were loaded: what others write must not be among them.
        people: Any = super().get_queryset(request)
        return people.with_presence().defer(*WRITTEN_BY_OTHERS)

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        fixed = () if request.user.is_superuser else RIGHTS
        return (*self.readonly_fields, *fixed)

    def has_change_permission(self, request, obj=None):
        """Whoever is no superuser may not touch staff: else they could become them."""
        may = super().has_change_permission(request, obj)
        is_above = request.user.is_superuser or obj is None or not _is_staff(obj)
        return may and is_above

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if change:
            actions.update_profile(
                actor=User.objects.get(id=obj.id), display_name=obj.display_name, email=obj.email
            )
        super().save_model(request, obj, form, change)

    @transaction.atomic
    def user_change_password(self, request, id, form_url=""):  # noqa: A002
        """Ends all sign-ins but one's own."""
        answer = super().user_change_password(request, id, form_url)
        if answer.status_code == 302:
            theirs = SignIn.objects.filter(user=id, ended_at=None)
            actions.end_sign_ins(sign_ins=theirs.exclude(id=request.sign_in.id))
        return answer

    @admin.display(boolean=True)
    def online(self, user):
        return user.is_online

    @admin.display(description="Look at")
    def look_at(self, user):
        lists = {
            "Sign-ins": "accounts_signin",
            "Seats in chats": "chats_membership",
            "Messages": "messaging_message",
        }
        return links((title, list_of(name, user.username)) for title, name in lists.items())

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request, queryset):
        users = self._touchable(request, queryset.exclude(id=request.user.id))
        actions.set_active(users=users, is_active=False)
        self._note(request, users, "Deactivated.")

    @admin.action(description="Reactivate", permissions=["change"])
    def reactivate(self, request, queryset):
        users = self._touchable(request, queryset)
        actions.set_active(users=users, is_active=True)
        self._note(request, users, "Reactivated.")

    @admin.action(description="End all sessions", permissions=["change"])
    def end_all_sessions(self, request, queryset):
        users = self._touchable(request, queryset)
        actions.end_sign_ins(sign_ins=SignIn.objects.filter(user__in=users, ended_at=None))
        self._note(request, users, "All sessions ended.")

    def _touchable(self, request, queryset):
        users = list(queryset)
        return [user for user in users if self.has_change_permission(request, user)]

    def _note(self, request, users, what):
        note(request, users, what)
        self.message_user(request, f"{len(users)} people: {what}", messages.SUCCESS)


@admin.register(SignIn, site=site)
class SignInAdmin(ReadOnlyAdmin):
    list_display = (
        "user",
        "kind",
        "address",
        "user_agent",
        "created_at",
        "expires_at",
        "ended_at",
    )
    list_select_related = ("user",)
    search_help_text = "A whole username or email, or somebody's id"
    actions = ("end",)

    def find(self, term):
        if user_id := uuid_in(term):
            return Q(user=user_id)
        return Q(user__in=User.objects.named(term))

    def has_end_permission(self, request):
        return request.user.has_perm("accounts.change_user")

    @admin.action(description="End", permissions=["end"])
    def end(self, request, queryset):
        open_ones = queryset.filter(ended_at=None)
        if not request.user.is_superuser:
            open_ones = open_ones.filter(user__is_staff=False, user__is_superuser=False)
        ended = list(open_ones)
        actions.end_sign_ins(sign_ins=ended)
        note(request, ended, "Ended.")
        self.message_user(request, f"{len(ended)} sign-ins ended.", messages.SUCCESS)


def note(request, rows, what):
    """Remembers in the admin's own log who did something to these rows."""
    LogEntry.objects.log_actions(request.user.id, rows, CHANGE, what)


def _is_staff(user):
    return user.is_staff or user.is_superuser
