"""What people fill in about chats."""

from django import forms

from chats.models import Membership


class GroupForm(forms.Form):
    name = forms.CharField(max_length=100)
    topic = forms.CharField(max_length=250, required=False)


MUTED_FOR = [
    ("keep", "As it is"),
    ("off", "Not muted"),
    ("1", "For an hour"),
    ("8", "For 8 hours"),
    ("24", "For a day"),
    ("168", "For a week"),
    ("always", "Until I change it"),
]
NOTIFIED = [("all", "All messages"), ("mentions", "Mentions of me"), ("none", "Nothing")]


class OwnSettingsForm(forms.Form):
    """What one wants of a chat for oneself; ``muted`` is a number of hours or a word."""

    notify = forms.ChoiceField(
        label="Notify me of", choices=NOTIFIED, widget=forms.RadioSelect, help_text="In this chat"
    )
    pinned = forms.BooleanField(
        label="Pinned",
        help_text="Above the other chats",
        required=False,
        widget=forms.CheckboxInput({"role": "switch"}),
    )
    muted = forms.ChoiceField(
        label="Mute", choices=MUTED_FOR, help_text="No count and no sound, unless I am mentioned"
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role.choices)
