"""The admin's site, and what its lists share."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html_join

MOST_COUNTED = 10_000


class Site(admin.AdminSite):
    """Signing in and out are the page's alone: here they would make no ``SignIn``."""

    site_title = site_header = f"{settings.SITE_NAME} admin"
    index_title = "Look around"

    def admin_view(self, view, cacheable=False):
        """Without Trusted Types, which the admin's own scripts do not know."""
        without = {"require-trusted-types-for": None, "trusted-types": None}
        return csp_replace(without)(super().admin_view(view, cacheable))

    def login(self, request, extra_context=None):
        """403 for those who are signed in but are not staff: else they would go in a circle."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(target, reverse("login"))

    def logout(self, request, extra_context=None):
        return redirect("logout", preserve_request=True)

    def password_change(self, request, extra_context=None):
        return redirect("settings")


site = Site()


class BoundedPaginator(Paginator):
    """Counts up to 10,000 rows and shows no more: searching is for what lies beyond."""

    most_counted = f"{MOST_COUNTED:,}"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: MOST_COUNTED + 1].count()

    @property
    def is_cut(self) -> bool:
        return self.count > MOST_COUNTED


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look through. ``find`` says what a search means: whole names and ids, by an index."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("id",)

    def find(self, term: str) -> Q:
        raise NotImplementedError

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        return (queryset.filter(self.find(term)) if term else queryset), False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


def uuid_in(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def list_of(model: str, term: Any) -> str:
    """The address of a list (``chats_chat``) that is searched for something."""
    return reverse(f"admin:{model}_changelist", query={"q": term})


def links(targets: Iterable[tuple[str, str]]) -> str:
    """Titles and addresses as one line of links."""
    return format_html_join(" · ", '<a href="{1}">{0}</a>', targets)
