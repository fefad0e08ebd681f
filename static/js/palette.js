// The command palette: chats, people and commands by a few letters.

import { element, find, findAll, icon, titleOf } from "./dom.js";
import { isComposing, openShortcuts } from "./keyboard.js";
import { tell, wear } from "./look.js";
import { avatarOf, fold, keycaps, marked, rank } from "./parts.js";
import { ask, csrfToken } from "./socket.js";
import { store } from "./store.js";

const SEARCH_AFTER = 0.15;
const MOST_OF_A_KIND = 6;
const MOST_RECENT = 8;
const OFFLINE = "You're offline. Only the chats on this device can be found.";

let palette = null;
let items = [];
let chosenId = null;
/** People whom the server found, and for which letters. */
let found = { letters: "", people: [] };
let isCutOff = false;
let timer = 0;

export function open() {
  palette ??= build();
  if (palette.dialog.open) return;
  palette.input.value = "";
  found = { letters: "", people: [] };
  isCutOff = false;
  chosenId = null;
  show();
  palette.dialog.showModal();
}

function build() {
  const input = element("input", {
    type: "text",
    role: "combobox",
    placeholder: "Search or jump to",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Search or jump to",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-autocomplete": "list",
    enterkeyhint: "go",
  });
  const list = element("div", { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": "Results" });
  const note = element("p", { class: "palette-note", role: "status" });
  const head = element("div", { class: "palette-head" }, icon("search"), input, keycaps("Escape"));
  const dialog = element("dialog", { class: "palette", "aria-label": "Search or jump to" }, head, note, list, foot());
  document.body.append(dialog);
  palette = { dialog, input, list, note };
  listen();
  return palette;
}

function foot() {
  const hint = (caps, text) => element("span", {}, ...caps.map(keycaps), ` ${text}`);
  const hints = [hint(["ArrowUp", "ArrowDown"], "Move"), hint(["Enter"], "Open"), hint([">"], "Commands")];
  return element("footer", { class: "palette-foot", "aria-hidden": "true" }, ...hints);
}

function listen() {
  const { dialog, input, list } = palette;
  input.addEventListener("input", typed);
  dialog.addEventListener("keydown", pressed);
  dialog.addEventListener("click", ({ target }) => {
    const row = target.closest("[role=option]");
    if (row) choose(items.find(({ id }) => id === row.dataset.item));
    else if (target === dialog) dialog.close();
  });
  list.addEventListener("pointermove", ({ target }) => {
    const id = target.closest("[role=option]")?.dataset.item;
    if (id && id !== chosenId) point(id);
  });
}

// What there is to choose

const letters = () => fold(palette.input.value.trim());

function typed() {
  chosenId = null;
  show();
  clearTimeout(timer);
  const asked = letters();
  if (asked && !asked.startsWith(">")) timer = setTimeout(() => findPeople(asked), SEARCH_AFTER * 1000);
}

async function findPeople(asked) {
  const search = encodeURIComponent(palette.input.value.trim());
  const answer = await ask("GET", `/users?search=${search}&limit=20`).catch(() => null);
  if (asked !== letters()) return;
  isCutOff = !answer;
  found = { letters: asked, people: answer?.results ?? [] };
  show();
}

function show() {
  const asked = letters();
  items = asked.startsWith(">") ? commandItems(asked.slice(1).trim()) : asked ? allItems(asked) : recentItems();
  render();
  const text = palette.input.value.trim();
  const isNone = asked && !items.length && (found.letters === asked || asked.startsWith(">"));
  const none = isNone ? `Nothing found for “${text}”. Try fewer letters.` : "";
  say(isCutOff || !navigator.onLine ? OFFLINE : none);
}

function say(text) {
  palette.note.textContent = text;
  palette.note.hidden = !text;
}

function recentItems() {
  const others = [...store.chats.values()].filter(({ id }) => id !== store.openId);
  return others.slice(0, MOST_RECENT).map((chat) => chatItem("Recent", chat, ""));
}

function allItems(asked) {
  const named = best([...store.chats.values()], asked, (chat) => [titleOf(chat), chat.peer?.username ?? ""]);
  const chats = named.slice(0, MOST_OF_A_KIND);
  const peers = new Set([store.me.id, ...chats.map(({ peer }) => peer?.id)]);
  // Until the server has answered for these letters, those of the last answer that still match.
  const people = best(found.people, asked, (user) => [user.display_name, user.username]);
  const others = people.filter(({ id }) => !peers.has(id));
  return [
    ...chats.map((chat) => chatItem("Chats", chat, asked)),
    ...others.slice(0, MOST_OF_A_KIND).map((user) => personItem(user, asked)),
    ...commandItems(asked).slice(0, MOST_OF_A_KIND),
  ];
}

/** Those whose texts have the letters: first those that begin with them. */
function best(all, asked, textsOf) {
  const ranked = all.map((one) => [bestRank(textsOf(one), asked), one]).filter(([order]) => order < Infinity);
  return ranked.sort(([one], [other]) => one - other).map(([, one]) => one);
}

function bestRank(texts, asked) {
  return Math.min(Infinity, ...texts.map((text) => rank(text, asked)).filter((order) => order >= 0));
}

function chatItem(group, chat, asked) {
  const { id, peer, member_count: count } = chat;
  const face = avatarOf(peer ?? { id, display_name: titleOf(chat), is_online: false }, "tiny");
  if (!peer) find(".presence", face).remove();
  const more = peer ? ["@", ...marked(peer.username, asked)] : [`${count} member${count === 1 ? "" : "s"}`];
  return { id, group, face, name: marked(titleOf(chat), asked), more, act: () => goTo(`/c/${id}`) };
}

function personItem(user, asked) {
  const more = ["@", ...marked(user.username, asked)];
  const prepare = () => ask("POST", "/chats", { type: "direct", members: [user.id] });
  const act = (chat) => goTo(`/c/${chat.id}`);
  const face = avatarOf(user, "tiny");
  return { id: user.id, group: "People", face, name: marked(user.display_name, asked), more, prepare, act };
}

// Commands

function commandItems(asked) {
  return best(commands(), asked, ({ text }) => [text]).map(({ text, sign, keys = "", ...rest }) => {
    return { id: text, group: "Commands", face: icon(sign), name: marked(text, asked), more: [], keys, ...rest };
  });
}

function commands() {
  const theme = (name, text) => ({ text, sign: "theme", prepare: () => saveTheme(name), act: showTheme });
  const page = (path, text, sign) => ({ text, sign, act: () => goTo(path) });
  const { chat } = store;
  return [
    { text: "New chat", sign: "compose", act: () => find("[data-opens=new-chat]").click() },
    chat && { text: "Go to the newest message", sign: "arrow-down", act: () => find("[data-to-newest]").click() },
    chat?.type === "group" && page(`/c/${chat.id}/settings`, "Group settings", "users"),
    theme("light", "Theme: light"),
    theme("dark", "Theme: dark"),
    theme("system", "Theme: like the system"),
    { text: "Keyboard shortcuts", sign: "keyboard", keys: "Mod+/", act: openShortcuts },
    page("/settings#profile", "Settings: profile", "user"),
    page("/settings#appearance", "Settings: appearance", "sliders"),
    page("/settings#keyboard", "Settings: keyboard", "keyboard"),
    page("/settings#privacy", "Settings: privacy", "shield"),
    page("/settings#announcements", "Settings: screen reader", "speaker"),
    page("/settings#password", "Settings: password", "lock"),
    { text: "Log out", sign: "out", act: logOut },
  ].filter(Boolean);
}

async function saveTheme(theme) {
  const { settings } = await ask("PATCH", "/users/me", { settings: { ...store.me.settings, theme } });
  store.me.settings = settings;
  tell(settings);
}

function showTheme() {
  wear(store.me.settings);
}

function logOut() {
  const token = element("input", { type: "hidden", name: "csrfmiddlewaretoken", value: csrfToken() });
  const form = element("form", { method: "post", action: "/logout", hidden: "" }, token);
  document.body.append(form);
  import("./forget.js").then(({ leave }) => leave(form, store.me.id));
}

const goTo = (path) => location.assign(path);
// The list

function render() {
  const groups = Map.groupBy(items, ({ group }) => group);
  palette.list.replaceChildren(...[...groups].map(([name, members]) => groupOf(name, members)));
  point(items.some(({ id }) => id === chosenId) ? chosenId : items[0]?.id);
}

function groupOf(name, members) {
  const label = element("div", { class: "section-label", role: "presentation" }, name);
  return element("div", { role: "group", "aria-label": name }, label, ...members.map(rowOf));
}

function rowOf({ id, face, name, more, keys = "" }) {
  const text = element("span", { class: "palette-name", dir: "auto" }, ...name);
  const row = element("div", { class: "palette-row", role: "option", id: `palette-${items.findIndex((item) => item.id === id)}` });
  row.dataset.item = id;
  row.append(element("span", { class: "palette-face" }, face), text, element("span", { class: "palette-more" }, ...more));
  const caps = keycaps(keys || "Enter");
  caps.classList.toggle("is-hint", !keys);
  if (!keys) caps.setAttribute("aria-hidden", "true");
  row.append(caps);
  return row;
}

function point(id) {
  chosenId = id;
  palette.input.removeAttribute("aria-activedescendant");
  for (const row of findAll("[role=option]", palette.list)) {
    const isChosen = row.dataset.item === id;
    row.setAttribute("aria-selected", isChosen);
    if (isChosen) palette.input.setAttribute("aria-activedescendant", row.id);
  }
}

function pressed(event) {
  if (isComposing(event)) return;
  const isToggle = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  if (isToggle) palette.dialog.close();
  else if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Enter") choose(items.find(({ id }) => id === chosenId));
  else return;
  event.preventDefault();
}

function move(step) {
  if (!items.length) return;
  const at = items.findIndex(({ id }) => id === chosenId);
  point(items[(at + step + items.length) % items.length].id);
  find("[aria-selected=true]", palette.list).scrollIntoView({ block: "nearest" });
}

async function choose(item) {
  if (!item) return;
  try {
    const prepared = await item.prepare?.();
    palette.dialog.close();
    item.act(prepared);
  } catch {
    say("That did not work. Check your connection and try again.");
  }
}
