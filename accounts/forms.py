"""What people fill in about themselves."""

from typing import Any

from django import forms

from accounts.models import username_rules

THEMES = [("system", "System"), ("light", "Light"), ("dark", "Dark")]
DENSITIES = [("comfortable", "Comfortable"), ("compact", "Compact")]
TEXT_SIZES = [("small", "Small"), ("normal", "Normal"), ("large", "Large"), ("larger", "Larger")]
ANNOUNCED = [("all", "All"), ("mentions", "Mentions of me"), ("off", "None")]


def _text(**attributes: str) -> forms.TextInput:
    return forms.TextInput({"autocapitalize": "none", "spellcheck": "false", **attributes})


class LoginForm(forms.Form):
    username = forms.CharField(
        label="Username or email", max_length=254, widget=_text(autocomplete="username")
    )
    password = forms.CharField(
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    remember = forms.BooleanField(
        label="Stay logged in on this device", required=False, initial=True
    )


class SetupForm(forms.Form):
    username = forms.CharField(
        min_length=2,
        max_length=32,
        validators=[username_rules[-1]],
        help_text="2 to 32 letters, digits, dots, dashes or underscores.",
        widget=_text(
            autocomplete="username",
            pattern=r"[A-Za-z0-9_.\-]+",
            title="Letters, digits, dots, dashes and underscores",
        ),
    )
    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        strip=False,
        max_length=1024,
        help_text="8 to 128 characters, not like your name, not a common one.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


class RegistrationForm(SetupForm):
    field_order = ("username", "display_name")
    display_name = forms.CharField(
        label="Your name",
        required=False,
        help_text="What others see. Your username, if you leave it empty.",
        max_length=64,
        widget=forms.TextInput({"autocomplete": "name"}),
    )


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label="Your name", max_length=64, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))


def _one_of(choices: list[tuple[str, str]], **options: str) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **options)


def _switch(label: str, help_text: str) -> forms.BooleanField:
    widget = forms.CheckboxInput({"role": "switch"})
    return forms.BooleanField(label=label, help_text=help_text, required=False, widget=widget)


# The names of the fields of these four are those of the preferences.


class AppearanceForm(forms.Form):
    theme = _one_of(THEMES)
    density = _one_of(DENSITIES, help_text="Compact puts more messages on the screen")
    text_size = _one_of(TEXT_SIZES, help_text="Everything scales with it")
    opens_at_newest = _switch(
        "Always open at the newest message", "Otherwise chats open at the first unread one"
    )


class KeyboardForm(forms.Form):
    enter_sends = _switch(
        "Enter sends",
        "Shift + Enter makes a new line. Off: Enter does, and Ctrl + Enter sends. "
        "On a touch screen the button sends",
    )


class PrivacyForm(forms.Form):
    shows_typing = _switch("Show when I type", "Others see your name below the messages")
    shows_read = _switch(
        "Show what I have read", "Off: you don't see how far others have read, either"
    )
    shows_online = _switch(
        "Show when I am online", "Off: everybody sees you as offline, with no time"
    )


class AnnouncementsForm(forms.Form):
    announces = _one_of(
        ANNOUNCED, label="New messages", help_text="Read out in the chat that is open"
    )


class PasswordForm(forms.Form):
    old_password = forms.CharField(
        label="Current password",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label="New password",
        strip=False,
        max_length=1024,
        help_text="8 to 128 characters, not like your name, not a common one.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


def add_problem(form: forms.Form, problem: Any) -> None:
    """Shows what an action refused at the field that it blames."""
    field = problem.attr if problem.attr in form.fields else None
    form.add_error(field, str(problem.detail))


def focus_on_problem(form: forms.Form) -> None:
    """Where the page opens: at the first wrong field, or at the password where none is blamed."""
    wrong = [field for field in form if field.errors]
    passwords = [field for field in form if isinstance(field.field.widget, forms.PasswordInput)]
    for field in (wrong or passwords)[:1]:
        attributes: dict[str, Any] = {"autofocus": True}
        if form.non_field_errors():
            attributes["aria-describedby"] = f"form_error {field.aria_describedby}".strip()
        field.field.widget.attrs.update(attributes)
