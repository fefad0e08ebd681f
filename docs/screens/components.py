"""The sheet of components: rows, fields and buttons of the page's own making, side by side."""

from typing import Any

from playwright.sync_api import Locator, Page

from docs.screens.story import DELETED, KINDS

WIDTH, HEIGHT = 1432, 1264

# Each as it is at that moment; `state` is what a pointer or the keyboard would make of it.
KEEP = """(node, [column, label, state]) => {
    const copy = node.cloneNode(true);
    copy.removeAttribute("popover");
    copy.removeAttribute("style");
    for (const typed of copy.querySelectorAll("textarea")) typed.textContent = typed.value;
    const one = copy.matches(".chat-row") ? copy.querySelector("a") : copy;
    if (state) one.dataset.forced = state;
    (window.kept ??= []).push({column, label, copy});
}"""
FETCH = """([method, path, fields]) => new Promise((done) => {
    const request = new XMLHttpRequest(), data = new FormData();
    request.open(method, path);
    request.responseType = "document";
    const sent = {csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value};
    for (const [name, value] of Object.entries({...sent, ...fields})) data.append(name, value);
    request.onload = () => done(window.other = request.response);
    request.send(method === "POST" ? data : null);
}).then(() => null)"""
KEEP_FETCHED = """([column, label, selector, state]) => {
    const copy = document.adoptNode(window.other.querySelector(selector));
    if (state) (copy.querySelector("input") ?? copy).dataset.forced = state;
    window.kept.push({column, label, copy});
}"""
BUILD = """() => {
    const [sprite, list, rows] = ["body > svg", ".chat-list", ".messages"]
        .map((selector) => document.querySelector(selector));
    const icons = [...sprite.querySelectorAll("symbol")].map(({id}) => {
        const copy = document.querySelector(".icon").cloneNode(true);
        copy.querySelector("use").setAttribute("href", `#${id}`);
        return copy;
    });
    const made = (name, style, ...children) => {
        const one = document.createElement(name);
        Object.assign(one.style, style);
        one.append(...children);
        return one;
    };
    const around = {
        rows: made("nav", {border: 0, borderRadius: "12px", padding: "8px 0", display: "block"}),
        messages: made("section", {margin: "0 0 16px", padding: 0}),
        buttons: made("div", {display: "block"}),
    };
    around.rows.className = "sidebar";
    around.rows.append(list.cloneNode(false));
    around.buttons.append(made("p", {display: "flex", flexWrap: "wrap", gap: "12px"}));
    around.messages.className = "timeline";
    around.messages.append(rows.cloneNode(false));
    const grid = {display: "grid", gap: "8px", alignContent: "start", minWidth: 0};
    const column = () => made("div", {...grid, gridTemplateColumns: "minmax(0, 1fr)"});
    const columns = {start: column(), middle: column(), end: column()};
    columns.start.append(around.rows);
    columns.middle.append(around.messages);
    for (const {column, label, copy} of window.kept) {
        const target = around[column]?.lastElementChild ?? columns[column];
        if (label) {
            const text = made("p", {padding: "8px 0 0"}, label);
            text.className = "section-label";
            target.append(text);
        }
        Object.assign(copy.style, {position: "relative", inset: "auto"});
        if (copy.matches(".suggestions")) copy.style.width = "auto";
        if (copy.matches(".toast")) copy.style.justifySelf = "start";
        if (copy.matches(".composer")) copy.style.margin = 0;
        target.append(copy);
    }
    columns.end.append(around.buttons);
    columns.start.append(made("div", {display: "flex", flexWrap: "wrap", gap: "12px", padding: "12px 4px"}, ...icons));
    document.body.className = "";
    Object.assign(document.body.style, {display: "grid", gap: "32px", padding: "32px", gridTemplateColumns: "360px 516px 1fr"});
    document.body.replaceChildren(sprite, ...Object.values(columns));
}"""


def components(page: Page) -> None:
    """Goes through the states one after the other, then shows what was kept of them."""
    for part in (".day", ".unread-line"):
        _keep(page.locator(part), "messages")
    refused(page, "Own, refused")
    _rows(page)
    _messages(page)
    _composer(page)
    _fields(page)
    page.evaluate(BUILD)
    _force(page)


def _keep(node: Locator, column: str, label: str = "", state: str = "") -> None:
    node.first.evaluate(KEEP, [column, label, state])


def _field(page: Page) -> Locator:
    return page.locator("#composer textarea")


def refused(page: Page, text: str) -> None:
    """What the server takes from nobody: a character that is none."""
    _field(page).focus()
    page.evaluate(
        "text => { document.querySelector('#composer textarea').value = text }", text + "\0"
    )
    _field(page).press("Enter")
    page.locator(".is-failed").wait_for()


def _rows(page: Page) -> None:
    page.locator(".chat-row.is-typing").first.wait_for()

    def row(name: str) -> Locator:
        return page.locator(".chat-row").filter(has_text=name)

    for state in ("", "hover", "focus-visible"):
        _keep(row("Kofi Mensah"), "rows", state=state)
    names = "سارة حداد,Boathouse keys,All hands,Website relaunch,Ana Silva,Maximiliane".split(",")
    for name in [KINDS.name, *names]:
        _keep(row(name), "rows")


def _messages(page: Page) -> None:
    def row(text: str) -> Locator:
        return page.locator(".message").filter(has_text=text)

    for line in KINDS.lines:
        state = {"Focused by keyboard": "focus-visible"}.get(line.text, "")
        one = row(line.text.removeprefix("@ben "))
        if line.text == DELETED:
            one = page.locator("[data-kind=deleted]")
        if line.text.startswith("Continuation"):
            one.hover()
            page.locator("[data-tools]:visible").wait_for()
            state = "hover"
        _keep(one, "messages", state=state)
        if line.sender == "ben":
            _keep(page.locator(".is-failed"), "messages")
            _connection(page)
    _keep(row("created the group"), "messages")


def _composer(page: Page) -> None:
    form = page.locator(".composer")
    _field(page).blur()
    _keep(form, "end", "Composer")
    page.locator(".message").filter(has_text="First in a group").focus()
    page.keyboard.press("r")
    _field(page).fill("Count me in")
    _keep(form, "end", "Reply, focused", "focus-within")
    page.keyboard.press("Escape")
    _field(page).fill("")
    page.locator(".message").filter(has_text="Own message").focus()
    page.keyboard.press("e")
    _keep(form, "end", "Edit, focused", "focus-within")
    page.keyboard.press("Escape")
    _field(page).press_sequentially("@c")
    page.locator(".suggestion").first.wait_for()
    _keep(page.locator(".suggestions"), "end", "Suggestions")
    page.keyboard.press("Escape")
    _field(page).fill("")
    page.locator(".message").filter(has_text="First in a group").focus()
    page.keyboard.press("Enter")
    _keep(page.locator("[data-menu]"), "end", "Menu")
    page.get_by_role("menuitem", name="Copy link").click()
    page.locator(".toast").wait_for()
    _keep(page.locator(".toast"), "end", "Toast")


def _connection(page: Page) -> None:
    banner = page.locator("[data-banner]")
    page.context.set_offline(True)
    _field(page).fill("Own, waiting")
    _field(page).press("Enter")
    page.locator(".is-pending").filter(has_text="Waiting to send").wait_for()
    _keep(page.locator(".is-pending:not(.is-failed)"), "messages")
    banner.wait_for(timeout=20_000)
    _keep(banner, "start", "Connection")
    page.context.set_offline(False)
    page.locator(".banner.is-ok").wait_for(timeout=20_000)
    _keep(banner, "start")


def _fields(page: Page) -> None:
    def keep(column: str, label: str, selector: str, state: str = "") -> None:
        page.evaluate(KEEP_FETCHED, [column, label, selector, state])

    _fetch(page, "POST", "/settings", section="profile", display_name="Ben Okafor", email="nobody")
    keep("middle", "Fields", ".field.is-invalid")
    keep("middle", "", ".field:has([name=display_name])", "focus-visible")
    keep("middle", "", ".field:has([name=old_password])")
    keep("end", "Switches and segments", ".setting:has([role=switch])")
    keep("end", "", ".setting:has(.segments)")
    for state in ("", "hover", "focus-visible"):
        keep("buttons", "", ".button.is-primary", state)
    for kind in ("quiet", "danger"):
        _keep(page.locator(f"[data-confirm] .button.is-{kind}"), "buttons")


def _fetch(page: Page, method: str, path: str, **fields: Any) -> None:
    page.evaluate(FETCH, [method, path, fields])


def _force(page: Page) -> None:
    """Has the browser show what a pointer or the keyboard would make of some."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    for state in ("hover", "focus-visible", "focus-within"):
        selector = f"[data-forced={state}]"
        found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector})
        for node in found["nodeIds"]:
            forced = {"nodeId": node, "forcedPseudoClasses": [state]}
            session.send("CSS.forcePseudoState", forced)
