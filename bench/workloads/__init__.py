"""What is asked, by the names of the targets: W1 to W7."""

from bench.workloads.measured import Row, Workload
from bench.workloads.reads import Growth, InChats, Rest
from bench.workloads.standing import Idle, Start
from bench.workloads.talks import Processes, Talk

__all__ = ["WORKLOADS", "Row", "Workload"]

MESSAGE = '{"content": "the boats leave at nine from the lower landing and come back before dark"}'
WORKLOADS: tuple[Workload, ...] = (
    Talk("W1", "one group of 200, saturated", 1, 200, senders=20, window=10),
    Talk("W1b", "one group of 200, 100 messages/s", 1, 200, senders=20, pace=100),
    Talk("W1c", "one group of 1,000, saturated", 1, 1_000, senders=20, window=5),
    Talk("W2", "200 pairs, saturated", 200, 2, senders=1, window=4, counts_answers=True),
    Talk("W2b", "200 pairs, 800 messages/s", 200, 2, senders=1, pace=800, counts_answers=True),
    Rest("W4 post", "16 clients post a message", "/chats/{chat}/messages", MESSAGE),
    Rest("W4 history", "16 clients read 50 messages", "/chats/{chat}/messages?limit=50"),
    Rest("W4 chats", "16 clients read 100 chats", "/chats?limit=100"),
    Processes("W7", "200 of a group on each process, saturated", senders=20, window=10),
    Processes("W7b", "200 of a group on each process, 100 messages/s", senders=20, pace=100),
    Start("W6", "bin/run on SQLite, the second time, then idle"),
    Idle("W3", "5,000 idle sockets, each in 20 chats", 5_000, chats_each=20),
    InChats("W5 some", "10 chats of somebody in 10 and in 1,000", (10, 1_000), limit=10),
    InChats("W5 many", "100 chats of somebody in 100 and in 1,000", (100, 1_000), limit=100),
    Growth("W5 newest", "16 clients read the newest 50", "newest"),
    Growth("W5 old", "16 clients read an old 50", "old"),
    Growth("W5 list", "16 clients read 100 chats", "list"),
)
