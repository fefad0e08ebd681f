"""Page addresses of messaging."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
