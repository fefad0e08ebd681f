"""Requests that go on and on: refused at once, and the server does not grow by them."""

import contextlib
import itertools
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatproject.testing import Server

MEBIBYTE = 1024 * 1024
ENDLESS = 256 * MEBIBYTE
MOST_GROWTH = 20 * MEBIBYTE
PIECE = b"x" * 65_536
HOST = b"Host: 127.0.0.1\r\n"
ANNOUNCED = b"Content-Length: %d\r\n\r\n" % ENDLESS
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux says how much a process took"
)


def memory(process: Path, line: str) -> int:
    found = next(one for one in (process / "status").read_text().splitlines() if line in one)
    return int(found.split()[1]) * 1024


@contextlib.contextmanager
def growing_little(server: Server) -> Iterator[None]:
    """No process of the server may at any moment take 20 MiB more than before."""
    processes = [Path(f"/proc/{pid}") for pid in server.processes()]
    before = [memory(one, "VmRSS") for one in processes]
    for one in processes:
        (one / "clear_refs").write_text("5")  # its peak is counted from here
    yield
    grown = [memory(one, "VmHWM") - was for one, was in zip(processes, before, strict=True)]
    assert grown
    assert max(grown) < MOST_GROWTH


def send(server: Server, head: bytes, pieces: Iterable[bytes], size: int = ENDLESS) -> bytes:
    """Sends all of it, or as much as is taken; the answer, as far as there is one."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        with contextlib.suppress(OSError):
            peer.sendall(head)
            for piece in itertools.islice(pieces, size // len(PIECE)):
                peer.sendall(piece)
        with contextlib.suppress(ConnectionResetError):
            return peer.recv(65_536)
    return b""


def endless(piece: bytes = PIECE) -> Iterator[bytes]:
    return itertools.repeat(piece)


def chunks() -> Iterator[bytes]:
    return itertools.repeat(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))


BODIES = {
    "announced": (ANNOUNCED, endless),
    "in chunks": (CHUNKED, chunks),
    "in one chunk": (CHUNKED + b"%x\r\n" % ENDLESS, endless),
    "for another protocol": (b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + ANNOUNCED, endless),
}
REQUESTS = {
    "REST": b"POST /auth/login HTTP/1.1\r\n",
    "an address of the API that there is not": b"PUT /chats/nothing/at-all HTTP/1.1\r\n",
    "an address that there is not": b"POST /nothing HTTP/1.1\r\n",
    "a page": b"POST /login HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n",
}


@pytest.mark.parametrize("body", BODIES)
def test_an_endless_body_is_413_on_any_address(server: Server, body: str):
    headers, pieces = BODIES[body]
    with growing_little(server):
        for name, request in REQUESTS.items():
            assert send(server, request + HOST + headers, pieces()).startswith(b"HTTP/1.1 413 "), (
                name
            )


@pytest.mark.parametrize(
    "lie",
    [
        b"Content-Length: 10\r\n",
        b"Content-Length: 10\r\nContent-Length: 268435456\r\n",
        b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: +268435456\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x10\r\n",
        b"Content-Length: 99999999999999999999999999\r\n",
    ],
)
def test_a_length_that_lies_ends_the_connection(server: Server, lie: bytes):
    with growing_little(server):
        answer = send(server, REQUESTS["REST"] + HOST + lie + b"\r\n", endless())
    # A short body is answered as one; what follows it is no request.
    assert not answer or answer.startswith(b"HTTP/1.1 400 "), answer


@pytest.mark.parametrize(
    ("length", "status"), [(ENDLESS, b"413"), (MEBIBYTE + 1, b"413"), (MEBIBYTE, b"100")]
)
def test_who_asks_first_is_told_not_to_send_it(server: Server, length: int, status: bytes):
    asks = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length
    for request in REQUESTS.values():
        answer = send(server, request + HOST + asks, ())
        # A page may have answered before it would read anything: 403 or 404.
        assert answer.split()[1] in ({b"100", b"403", b"404"} if status == b"100" else {status})


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET /", PIECE),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: ", PIECE),
        (b"GET / HTTP/1.1\r\n" + HOST, b"A: b\r\n" * 10_000),
        (REQUESTS["REST"] + HOST + CHUNKED + b"1;", PIECE),
        (REQUESTS["REST"] + HOST + CHUNKED + b"0\r\na: ", PIECE),
        (REQUESTS["REST"] + HOST + CHUNKED + b"0\r\n", b"A: b\r\n" * 10_000),
    ],
    ids=["address", "header", "headers", "chunk's head", "trailer", "trailers"],
)
def test_an_endless_head_ends_the_connection(server: Server, head: bytes, piece: bytes):
    with growing_little(server):
        began_at = time.monotonic()
        answer = send(server, head, endless(piece), 16 * MEBIBYTE)
        assert time.monotonic() - began_at < 5
    assert not answer or answer.startswith(b"HTTP/1.1 400 "), answer


def test_a_head_of_60_kibibytes_is_read(server: Server):
    head = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 60 * 1024 + b"\r\n\r\n"
    assert send(server, head, ()).startswith(b"HTTP/1.1 200 ")
    slowly = [head[start : start + 6000] for start in range(0, len(head), 6000)]
    assert send(server, b"", slowly, ENDLESS).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_the_smallest_chunks_is_read(server: Server):
    request = b"PUT /chats/nothing HTTP/1.1\r\n" + HOST + CHUNKED
    answer = send(server, request, [b"1\r\nx\r\n" * 30_000 + b"0\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 404 "), answer


def test_a_connection_without_a_whole_head_ends(server: Server):
    whole = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    beginnings = [b"", whole[:-2], whole + whole[:10]]
    with ThreadPoolExecutor() as pool:
        took = list(pool.map(lambda beginning: seconds_kept(server, beginning), beginnings))
    assert 10 < min(took) <= max(took) < 30


def test_a_connection_outlives_a_pause_in_which_clients_forget_theirs(server: Server):
    whole = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as peer:
        for pause in (6, 0):
            peer.sendall(whole)
            answer = peer.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            while not answer.endswith(b"}"):
                answer += peer.recv(65_536)
            time.sleep(pause)


def seconds_kept(server: Server, beginning: bytes) -> float:
    """How long a connection lasts on which no more than this comes."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as peer:
        began = time.monotonic()
        peer.sendall(beginning)
        while peer.recv(65_536):
            pass
        return time.monotonic() - began
