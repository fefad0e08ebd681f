"""How often an answer asks the database. Imported once Django is set up."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries_for(path: str, token: str) -> int:
    """By a request within this process, which is the second: the first may look up more."""
    client = Client(headers={"authorization": f"Bearer {token}", "host": "localhost"})
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(path)
        assert answer.status_code == 200, answer.content
    assert len(asked) > 0, f"{path} is answered from elsewhere"
    return len(asked)
