"""Frames that are built once for all peers."""

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import parse_uri

from chatproject.wires import framed, texts_in

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_client_reads_what_was_framed(size: int):
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(framed(b"x" * size) + framed("zwölf".encode()))
    first, second = (one for one in client.events_received() if isinstance(one, Frame))
    assert bytes(first.data) == b"x" * size
    assert bytes(second.data).decode() == "zwölf"


def test_a_server_without_the_extension_gets_the_same_texts():
    texts = ["x" * size for size in SIZES]
    assert list(texts_in(b"".join(framed(text.encode()) for text in texts))) == texts
