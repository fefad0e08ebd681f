"""What is said in the pictures: people, chats and messages, at fixed times."""

from typing import Any, NamedTuple

NOW = "2026-11-23T09:59:00+00:00"

PEOPLE = {
    "ben": "Ben Okafor",
    "ana": "Ana Silva",
    "cleo": "Cleo Marchetti",
    "lin": "林美玲",
    "sara": "سارة حداد",
    "jonas": "Jonas Weiß",
    "maximiliane": "Maximiliane von Hohenberg-Schwarzenfels",
    "kofi": "Kofi Mensah",
    "diego": "Diego Fuentes",
    "priya": "Priya Raman",
    "tomasz": "Tomasz Zieliński",
    "lurdes": "Vovó Lurdes",
    "pai": "Pai",
}
COLOURS = {
    "first": 4,
    "ben": 5,
    "ana": 1,
    "cleo": 6,
    "lin": 7,
    "sara": 3,
    "jonas": 1,
    "maximiliane": 6,
    "kofi": 0,
    "diego": 3,
    "priya": 2,
    "tomasz": 4,
    "lurdes": 7,
    "pai": 2,
    "regatta": 5,
    "family": 0,
    "website": 4,
    "boathouse": 4,
    "all": 6,
    "book": 7,
    "hostile": 2,
    "kinds": 1,
}
"""Of those whose picture has one."""
ONLINE = ["ana", "cleo", "lin", "tomasz"]


class Line(NamedTuple):
    """A message. ``answers`` counts back from it, ``reactions`` says who gave which."""

    sender: str
    at: str
    text: str
    answers: int = 0
    reactions: dict[str, str] = {}
    edited: bool = False


class Story(NamedTuple):
    """A chat, as Ben has it: without a name, one with the other person alone."""

    name: str
    members: str
    lines: list[Line]
    topic: str = ""
    unread: int = 0
    seen_by: str = ""
    me: dict[str, Any] = {}


CODE = """That is everyone then. Start times now come from the script, @cleo can you check the gap?

```python
GAP = timedelta(minutes=7)
for n, crew in enumerate(crews):
    crew.start = first + n * GAP   # first: 09:00
```

Run it with `bin/times --day sat` and it prints the sheet."""

DELETED = "Said too early"

HOSTILE = [
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3,
    "لا تنس المفتاح قبل 06:30، ثم اتصل بـ Kofi على الفور.",
    "https://example.org/a/very/long/address/" + "that-goes-on/" * 20,
    "```\n" + "a line of code that is wider than any screen " * 6 + "\n```",
    "🚣🏽‍♀️🎉👩‍👩‍👧‍👦",
    "明日の朝六時に艇庫で会いましょう。忘れ物をしないように気をつけてください。" * 3,
    "> quoted, once\n\n1. first\n2. second\n\n- a point\n- another, with `code` in it",
]

KINDS = Story(
    "Components",
    "priya ben ana cleo lin tomasz kofi",
    [
        Line("ana", "2026-11-08 09:12", "First in a group"),
        Line("ana", "2026-11-08 09:13", "Continuation, time in the gutter on hover"),
        Line("ben", "2026-11-08 09:14", "Own message", edited=True),
        Line("cleo", "2026-11-08 09:20", "@ben mentions you"),
        Line("lin", "2026-11-08 09:22", "Focused by keyboard", reactions={"ben ana cleo": "👍", "kofi": "☕"}),
        Line("tomasz", "2026-11-08 09:24", "🎉🚣"),
        Line("kofi", "2026-11-08 09:25", DELETED),
        Line("ana", "2026-11-08 09:26", "A quoted line that runs on until it has to be cut off somewhere before the end of the row"),
        Line("priya", "2026-11-08 09:27", "Reply", answers=1),
    ],
    unread=3,
)  # fmt: skip

STORIES = {
    "hostile": Story(
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenpolierer und ihre Angehörigen",
        "ben maximiliane sara lin kofi",
        [
            Line(who, f"2026-11-09 09:{10 + number}", text, reactions={"ben sara": "👍🏽", "lin": "🚣"})
            for number, (who, text) in enumerate(
                zip("maximiliane sara ben lin kofi lin maximiliane".split(), HOSTILE, strict=True)
            )
        ],
        topic="Ein Wort, das in keine Zeile passt, und ein Satz, der auch dann noch weitergeht.",
    ),
    "empty": Story("", "ben tomasz", []),
    "priya": Story("", "ben priya", [Line("ben", "2026-11-12 16:00", "Looks right to me, send it")]),
    "book": Story(
        "Book club",
        "tomasz ben priya",
        [Line("tomasz", "2026-11-14 20:10", "Chapter nine, no spoilers please")],
    ),
    "diego": Story("", "ben diego", [Line("ben", "2026-11-15 11:02", "The spare key is with Kofi")]),
    "kofi": Story("", "ben kofi", [Line("kofi", "2026-11-16 15:00", "Sent the invoice, thanks again")]),
    "lin": Story("", "ben lin", [Line("lin", "2026-11-18 13:20", "三张照片都很好")]),
    "all": Story(
        "All hands",
        "priya ben ana cleo kofi",
        [Line("priya", "2026-11-19 10:00", "Minutes are in the folder")],
        me={"muted_until": "9999-12-31T00:00:00Z"},
    ),
    "maximiliane": Story(
        "", "ben maximiliane", [Line("maximiliane", "2026-11-19 09:00", "Reply-all was a mistake, sorry")]
    ),
    "jonas": Story(
        "",
        "ben jonas",
        [
            Line("jonas", "2026-11-22 22:01", "Hast du an die Schwimmwesten gedacht?"),
            Line("ben", "2026-11-22 22:05", "Zwei sogar, liegen schon im Auto.", answers=1),
            Line("ben", "2026-11-22 22:07", "Danke, bis Samstag"),
        ],
        seen_by="jonas",
    ),
    "boathouse": Story(
        "Boathouse keys & maintenance rota",
        "diego ben kofi",
        [
            Line("kofi", "2026-11-22 17:50", "The padlock is new."),
            Line("kofi", "2026-11-22 17:58", "The old one is in the bin."),
            Line("diego", "2026-11-22 18:01", "Both keys were on the hook on Friday."),
            Line("diego", "2026-11-22 18:02", "@ben who has the spare key?"),
        ],
        unread=4,
    ),
    "sara": Story(
        "",
        "ben sara",
        [Line("sara", "2026-11-23 08:46", "وصلت!"), Line("sara", "2026-11-23 08:47", "شكراً! أراك يوم السبت")],
        unread=2,
    ),
    "website": Story(
        "Website relaunch",
        "ben priya tomasz diego",
        [
            Line(
                "priya",
                "2026-11-22 16:02",
                "First pass of the start page, with the photos from the boathouse. I kept two columns"
                " so that the text stays under 70 characters a line.",
                reactions={"ben tomasz diego": "😍", "tomasz diego": "👍"},
            ),
            Line(
                "tomasz",
                "2026-11-22 16:10",
                "Lovely light. Two things before we ship:\n\n- the menu needs to work at 320 px\n"
                "- alt text for the second photo is missing",
            ),
            Line("tomasz", "2026-11-22 16:11", "Świetna robota, naprawdę."),
            Line(
                "ben",
                "2026-11-23 09:05",
                "Both fixed. The menu folds into one column below 480 px, and the photo says “Club"
                " lights on the lake, seen from the jetty”.",
                answers=2,
                edited=True,
            ),
            Line(
                "priya",
                "2026-11-23 09:14",
                "Then I would call it done. Shall we publish on **Monday at 8**, before people are at"
                " their desks?",
            ),
            Line(
                "priya",
                "2026-11-23 09:15",
                "Checklist: [wiki/relaunch-checklist](https://example.org/wiki/relaunch-checklist)",
            ),
            Line("ben", "2026-11-23 09:31", "Monday at 8 it is."),
        ],
    ),
    "ana": Story("", "ben ana", [Line("ana", "2026-11-23 09:58", "The coffee is on me then")]),
    "family": Story(
        "Família Silva",
        "ana ben lurdes pai",
        [
            Line("lurdes", "2026-11-22 19:12", "Quem traz o bolo no domingo? O forno cá de casa continua avariado."),
            Line("ana", "2026-11-22 19:30", "Levo eu! Experimentei este ontem 🍰", reactions={"ben lurdes pai": "😋", "lurdes pai": "❤️"}),
            Line("ben", "2026-11-23 08:51", "E eu trato das velas. São 80 ou dizemos que são 60?", answers=2),
            Line("ben", "2026-11-23 08:52", "🎂🤫"),
            Line("pai", "2026-11-23 09:38", "60, claro. @ben buscas a avó às 12h?"),
            Line("lurdes", "2026-11-23 09:40", "Eu ouvi isso, meninos."),
        ],
        seen_by="ana lurdes pai",
        unread=2,
        me={"pinned": True},
    ),
    "regatta": Story(
        "Regatta weekend",
        "ana ben cleo lin sara jonas maximiliane kofi diego",
        [
            Line("kofi", "2026-11-22 17:40", "The club has lent us the second trailer."),
            Line("diego", "2026-11-22 17:58", "Then both eights fit. I bring the straps.", answers=1, reactions={"ana": "🙏"}),
            Line(
                "ana",
                "2026-11-22 18:20",
                "Evening all. The lake is flat and the forecast holds: 14°, wind from the south-west"
                " under 8 km/h. The trailer leaves on **Saturday at 06:30**.",
                reactions={"cleo lin kofi diego": "❤️", "ben lin jonas": "🚣", "kofi diego": "👏"},
            ),
            Line("jonas", "2026-11-23 09:20", "Ich bringe die beiden Ersatzruder mit. Passt noch jemand ins Auto?", answers=1),
            Line("sara", "2026-11-23 09:24", "أستطيع أن آخذ ثلاثة أشخاص من المحطة. سأكون هناك الساعة ٦:١٥ صباحاً."),
            Line("ben", "2026-11-23 09:31", CODE, edited=True),
            Line("cleo", "2026-11-23 09:48", "@ben seven minutes is tight when the wind turns. Could we do nine?"),
            Line("cleo", "2026-11-23 09:49", "The start list, draft 3, is in the folder."),
            Line("lin", "2026-11-23 09:52", "我六点到码头,咖啡我来带。☕"),
        ],
        topic="Trailer, crews and coffee for 28 November",
        unread=3,
        me={"pinned": True},
    ),
}  # fmt: skip
