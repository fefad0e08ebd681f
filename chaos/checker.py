"""Goes through the books: each number that it gives has to be zero."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from chaos.ledger import Book, Held, Ledger, Stored, Truth

Findings = dict[str, list[str]]


def check(ledger: Ledger, truth: Truth) -> Findings:
    """What is wrong, by kind; a sentence each."""
    return {
        "lost": list(_lost(ledger, truth)),
        "doubled": list(_doubled(truth)),
        "refused and stored": list(_refused_and_stored(ledger, truth)),
        "reordered": list(_reordered(ledger)),
        "holes in history": list(_holes_in_history(truth)),
        "holes on an open socket": [one for book in ledger.books.values() for one in _holes(book)],
        "events after a removal": list(_after_removal(ledger)),
        "answers after a removal": ledger.answered_reads,
        "not what the server has": list(_diverged(ledger, truth)),
    }


def _by_client_id(truth: Truth) -> dict[tuple[str, str, str], list[Stored]]:
    found = defaultdict(list)
    for one in truth.messages:
        if one.held.client_id:
            found[one.chat, one.sender, one.held.client_id].append(one)
    return found


def _lost(ledger: Ledger, truth: Truth) -> Iterator[str]:
    stored = _by_client_id(truth)
    for send in ledger.sends.values():
        if send.outcome != "ok":
            continue
        seqs = [one.seq for one in stored[send.chat, send.sender, send.client_id]]
        if send.seq not in seqs:
            yield f"{send.client_id} was acknowledged as {send.seq}, and is stored as {seqs}"


def _doubled(truth: Truth) -> Iterator[str]:
    for (_, _, client_id), found in _by_client_id(truth).items():
        if len(found) > 1:
            yield f"{client_id} is stored as {[one.seq for one in found]}"


def _refused_and_stored(ledger: Ledger, truth: Truth) -> Iterator[str]:
    stored = _by_client_id(truth)
    for send in ledger.sends.values():
        if send.outcome == "failed" and stored[send.chat, send.sender, send.client_id]:
            yield f"{send.client_id} was refused, and is there"


def _reordered(ledger: Ledger) -> Iterator[str]:
    """Of what went out over one connection, and was asked for once only."""
    lanes = defaultdict(list)
    for send in ledger.sends.values():
        if send.outcome == "ok" and send.turn:
            lanes[send.connection, send.chat].append(send)
    for sends in lanes.values():
        in_turn = sorted(sends, key=lambda send: send.turn)
        for one, following in pairwise(in_turn):
            if one.seq > following.seq:
                yield f"{following.client_id} overtook {one.client_id}"


def _holes_in_history(truth: Truth) -> Iterator[str]:
    seqs, versions = defaultdict(list), defaultdict(list)
    for one in truth.messages:
        seqs[one.chat].append(one.seq)
        versions[one.chat].append(one.held.version)
    for chat, found in seqs.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield f"{chat} has the numbers {sorted(found)[:50]}"
        if max(versions[chat]) > truth.versions[chat]:
            yield f"{chat} is at {truth.versions[chat]}, and a message of it above"
        doubled = [version for version, times in Counter(versions[chat]).items() if times > 1]
        if doubled:
            yield f"{chat} has the versions {doubled[:50]} twice"


def _holes(book: Book) -> Iterator[str]:
    yield from (f"{book.person}: {hole}" for hole in book.holes)


def _after_removal(ledger: Ledger) -> Iterator[str]:
    for absence in ledger.absences:
        for event in ledger.books[absence.person].events:
            is_later = event.version > absence.since and event.at < absence.until
            if event.chat == absence.chat and is_later:
                yield f"{absence.person} heard {event.kind} {event.version} after {absence.since}"


def _diverged(ledger: Ledger, truth: Truth) -> Iterator[str]:
    there: dict[str, dict[int, Held]] = defaultdict(dict)
    for one in truth.messages:
        there[one.chat][one.seq] = one.held
    for book in ledger.books.values():
        for chat, members in truth.members.items():
            if book.person not in members:
                continue
            if book.versions.get(chat) != truth.versions[chat]:
                yield f"{book.person} is at {book.versions.get(chat)} of {truth.versions[chat]}"
            known = book.known.get(chat, {})
            if known != there[chat]:
                wrong = [seq for seq, held in there[chat].items() if known.get(seq) != held]
                yield f"{book.person} lacks {wrong[:20]}, and holds {len(known)} messages"
