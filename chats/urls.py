"""Page addresses of chats."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
