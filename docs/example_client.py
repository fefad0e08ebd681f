"""Follows one person's chats, from now on: CHAT_PASSWORD=… python example_client.py URL USERNAME
prints `chat_id seq sender new "content"` once a message, by rising seq in each chat, and again with
`edited` or `deleted`. Of a chat that comes later it prints all. When it fails, it tries again."""

import itertools, json, os, random, sys, time
import httpx
from websockets.sync.client import connect

url, login = sys.argv[1], {"username": sys.argv[2], "password": os.environ["CHAT_PASSWORD"]}
http, tokens, epoch, wait = httpx.Client(base_url=url, timeout=30), {"refresh": "none"}, None, 2.5
versions, seqs, stamps = {}, {}, {}  # of a chat: printed up to there; of a message: its last change


def take(chat_id, version, messages=(), complete=False, **_):
    while not complete:  # Read on by seq. This misses later edits of what is printed already.
        page = http.get(f"/chats/{chat_id}/messages?after={seqs.get(chat_id, 0)}&limit=200")
        take(chat_id, versions.get(chat_id, 0), page.raise_for_status().json()["results"], True)
        complete = not page.json()["has_after"]
    for message in messages:
        seq, sender = message["seq"], (message["sender"] or {"username": "-"})["username"]
        new, stamp = seq > seqs.get(chat_id, 0), message["deleted_at"] or message["edited_at"] or ""
        if new or stamp > stamps.get(message["id"], ""):
            what = "deleted" if message["deleted_at"] else "new" if new else "edited"
            print(chat_id, seq, sender, what, json.dumps(message["content"]), flush=True)
            seqs[chat_id], stamps[message["id"]] = max(seq, seqs.get(chat_id, 0)), stamp
    versions[chat_id] = version  # only now: what failed above is asked for again


while True:
    try:
        answer = http.post("/auth/refresh", json=tokens)
        if answer.status_code == 401:  # there is none yet, or the sign-in has ended
            answer = http.post("/auth/login", json=login)
        if answer.status_code in (400, 401, 403):
            sys.exit(f"Cannot sign in: {answer.text}")
        tokens = answer.raise_for_status().json()
        http.headers.update(headers := {"Authorization": f"Bearer {tokens['access']}"})
        with connect(f"ws{url[4:]}/ws", additional_headers=headers, max_size=None) as ws:
            frames, aside = map(json.loads, ws), []
            now = next(frames)["epoch"]
            if first := now != epoch:  # at first, and when the server's data was replaced
                versions, seqs = {}, {}
            ws.send(json.dumps({"type": "sync", "ref": "1", "epoch": now, "chats": versions}))
            while "ref" not in (answer := next(frames)):
                aside.append(answer)
            for change in answer["changes"]:  # try_again has none: a KeyError, so we do
                take(**change)
            for chat in (chat for chat in answer["chats"] if chat["id"] not in versions):
                seqs.setdefault(chat["id"], chat["last_seq"] if first else 0)
                take(chat["id"], chat["version"], complete=first)
            epoch, wait = now, 2.5
            for got in itertools.chain(aside, frames):
                if got["type"] == "chat.created":
                    take(got["chat"]["id"], got["chat"]["version"])
                elif "message" in got:  # of a chat beyond the first 200, begin with this one
                    due = seqs.get(got["chat_id"], got["message"]["seq"] if first else 0) + 1
                    take(**got, messages=[got["message"]], complete=got["message"]["seq"] <= due)
    except Exception as problem:
        print(repr(problem), file=sys.stderr)
    time.sleep(random.uniform(0, wait := min(30, 2 * wait)))
