"""What people fill in about chats."""

from django import forms

from chats.models import Membership


class GroupForm(forms.Form):
    name = forms.CharField(max_length=100)
    topic = forms.CharField(max_length=250, required=False)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role.choices)
