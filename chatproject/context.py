"""What every template can say of the installation."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "site_name": settings.SITE_NAME,
        "site_host": urlsplit(settings.PUBLIC_URL).netloc,
        "registration_open": settings.REGISTRATION_OPEN,
    }
