"""Pictures of the page, and what takes them. Its installation goes when it is done."""

import chatproject.testing.stage  # noqa: F401  which says where that is, before Django asks
import django

django.setup()
