"""What browsers may do with an answer."""

from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware

NOTHING = "default-src 'none'; frame-ancestors 'none'"


class ContentPolicy(CSPMiddleware):
    """Of pages, what the settings say; of JSON, nothing, which takes no time to write down."""

    def process_response(self, request: Any, response: Any) -> Any:
        if response.headers.get("Content-Type") != "application/json":
            return super().process_response(request, response)
        response.headers[HEADER] = NOTHING
        return response
