"""Demonstration data: people, their chats, and what they say in several languages."""
