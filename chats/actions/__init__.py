"""What people do with chats and with the seats in them."""

from chats.actions.chats import create_direct_chat, create_group, delete_chat, update_chat
from chats.actions.marks import change_own_settings, mark_read, mark_unread
from chats.actions.members import add_members, remove_member, set_role
from chats.actions.ownership import give_up_ownership
from chats.actions.seats import hold_chats

__all__ = [
    "add_members",
    "change_own_settings",
    "create_direct_chat",
    "create_group",
    "delete_chat",
    "give_up_ownership",
    "hold_chats",
    "mark_read",
    "mark_unread",
    "remove_member",
    "set_role",
    "update_chat",
]
