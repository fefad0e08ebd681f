"""The pages of accounts: signing in and out, settings."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST

from accounts import access, actions, first_run
from accounts.api import origin_of
from accounts.forms import (
    AnnouncementsForm,
    AppearanceForm,
    KeyboardForm,
    LoginForm,
    PasswordForm,
    PrivacyForm,
    ProfileForm,
    RegistrationForm,
    add_problem,
    focus_on_problem,
)
from accounts.models import SignIn, User
from accounts.preferences import preferences_of
from accounts.serializers import own_document
from chatproject.errors import Problem, with_retry_after


# Its length gives no secret away: the form's token is masked anew each time, and gzip_page pads.
@method_decorator(gzip_page, name="dispatch")
class SignedInView(View):
    """A page for people who are signed in; others go to the login page and come back."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('login')}?{query}")
        return super().dispatch(request, *args, **kwargs)


def _next_page(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else "/"


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class EntranceView(View):
    """What the login and the registration page share."""

    form_class: Any
    template_name: str

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(_next_page(request))
        return self._show(self.form_class())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self._show(form, 400)
        try:
            sign_in, remember = self._enter(form.cleaned_data)
        except Problem as problem:
            add_problem(form, problem)
            return with_retry_after(self._show(form, problem.status_code), problem)
        _open_session(request, sign_in, remember=remember)
        return redirect(self._landing())

    def _enter(self, given: dict[str, Any]) -> tuple[SignIn, bool]:
        raise NotImplementedError

    def _landing(self) -> str:
        return _next_page(self.request)

    def _show(self, form: Any, status: int = 200) -> HttpResponse:
        if form.is_bound:
            focus_on_problem(form)
        context = {
            "form": form,
            "next": _next_page(self.request),
            "is_nobody_registered": first_run.is_nobody_registered(),
        }
        return render(self.request, self.template_name, context, status=status)


class LoginView(EntranceView):
    form_class = LoginForm
    template_name = "accounts/login.html"

    def _enter(self, given: dict[str, Any]) -> tuple[SignIn, bool]:
        sign_in = actions.sign_in(
            identifier=given["username"],
            password=given["password"],
            kind=SignIn.Kind.WEB,
            **origin_of(self.request),
        )
        return sign_in, given["remember"]


class RegisterView(EntranceView):
    form_class = RegistrationForm
    template_name = "accounts/register.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.REGISTRATION_OPEN:
            facts = {"is_nobody_registered": first_run.is_nobody_registered()}
            return render(request, "accounts/closed.html", facts, status=403)
        return super().dispatch(request, *args, **kwargs)

    def _enter(self, given: dict[str, Any]) -> tuple[SignIn, bool]:
        origin = origin_of(self.request)
        user = actions.register_user(**given, address=origin["address"])
        sign_in = actions.start_sign_in(user=user, kind=SignIn.Kind.WEB, **origin)
        return sign_in, True


def _open_session(request: HttpRequest, sign_in: SignIn, *, remember: bool) -> None:
    """A new session id and CSRF token for somebody who has just signed in."""
    request.session.flush()
    request.session[access.SESSION_KEY] = str(sign_in.id)
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else 0)
    rotate_token(request)


@require_POST
def log_out(request: Any) -> HttpResponse:
    if request.sign_in:
        actions.end_sign_ins(sign_ins=[request.sign_in])
    request.session.flush()
    return redirect("login")


PREFERENCE_FORMS: dict[str, Any] = {
    "appearance": AppearanceForm,
    "keyboard": KeyboardForm,
    "privacy": PrivacyForm,
    "announcements": AnnouncementsForm,
}


class SettingsView(SignedInView):
    """One form a section, told apart by the button pressed."""

    forms = {"profile": ProfileForm, **PREFERENCE_FORMS, "password": PasswordForm}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        section = request.POST.get("section", "")
        if section not in self.forms:
            return redirect("settings")
        form = self.forms[section](request.POST)
        if not form.is_valid():
            return self._show(400, **{section: form})
        try:
            self._save(section, form.cleaned_data)
        except Problem as problem:
            add_problem(form, problem)
            return with_retry_after(self._show(problem.status_code, **{section: form}), problem)
        messages.success(request, "Saved")
        return redirect(f"{reverse('settings')}#{section}")

    def _save(self, section: str, given: dict[str, Any]) -> None:
        if section == "profile":
            actions.update_profile(actor=self._user, **given)
        elif section == "password":
            sign_in = self.request.sign_in  # type: ignore[attr-defined]
            actions.change_password(actor=self._user, sign_in=sign_in, **given)
        else:
            actions.change_preferences(actor=self._user, **given)

    @property
    def _user(self) -> User:
        return self.request.user  # type: ignore[return-value]

    def _show(self, status: int = 200, **forms: Any) -> HttpResponse:
        user = self._user
        chosen = preferences_of(user)._asdict()
        for form in forms.values():
            focus_on_problem(form)
        filled = {
            "profile": ProfileForm({"display_name": user.display_name, "email": user.email}),
            **{name: form(initial=chosen) for name, form in PREFERENCE_FORMS.items()},
            "password": PasswordForm(),
            **forms,
        }
        context = {"me": own_document(user), "forms": filled}
        return render(self.request, "accounts/settings.html", context, status=status)
