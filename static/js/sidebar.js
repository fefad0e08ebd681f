// What stands around the messages, as the server would render it: the list of chats, the open one's
// head and members, the title.

import { arrange, clone, countText, element, find, findAll } from "./dom.js";
import { listOf, paintAvatar, presenceWords, preview, set, setAge, slot, titleOf } from "./dom.js";
import { outbox } from "./keep.js";
import { isApple, openPalette } from "./keyboard.js";
import { socket } from "./socket.js";
import { isMuted, store } from "./store.js";

const MOST_WATCHED = 500;
const MOST_NAMED = 2;

const lists = { pinned: find("[data-section=pinned]"), recent: find("[data-section=recent]") };
const rows = new Map(findAll(".chat-list > [data-chat-id]").map((row) => [row.dataset.chatId, row]));
const siteName = document.title.split(" · ").at(-1);
const icon = find("link[rel=icon]");
const plainIcon = icon.getAttribute("href");
/** By row: the facts that it shows, and what was said last, as a line. */
const shown = new WeakMap();
let shownHead = "";
let watched = "";

export const sidebar = { start };

function start() {
  for (const [id, row] of rows) {
    if (store.chats.has(id)) adopt(store.chats.get(id), row);
    else drop(id, row);
  }
  renderWritten();
  renderHead();
  showTitle();
  store.on("open", opened);
  store.on("chats", renderAll);
  store.on("chat", renderOne);
  store.on("typing", showTyping);
  store.on("members", renderMembers);
  store.on("presence", showPresence);
  for (const type of ["drafts", "change"]) outbox.on(type, renderWritten);
  find("[data-stranded]").addEventListener("click", () => import("./unsent.js").then(({ open }) => open()));
  socket.on("up", () => watch((watched = "")));
  const search = find("[data-opens=palette]");
  search.addEventListener("click", openPalette);
  if (isApple) find("kbd", search).textContent = "⌘ K";
}

function opened() {
  for (const [id, row] of rows) select(row, id === store.openId);
  renderMembers();
  renderLines();
  if (store.chat) showTyping(store.openId);
  showTitle();
}

/** How many chats have something new, then where one is. */
function showTitle() {
  const unread = [...store.chats.values()].filter(isCounted).length;
  const title = `${store.chat ? titleOf(store.chat) : "Chats"} · ${siteName}`;
  set(document, "title", unread ? `(${countText(unread)}) ${title}` : title);
  showBadge(unread);
}

/** A dot on the page's picture, with the number while it can be read; the same on an installed app. */
function showBadge(unread) {
  const number = unread > 0 && unread < 10 ? `<text x="38" y="22" font-size="22" font-weight="700" text-anchor="middle" fill="#fff">${unread}</text>` : "";
  const dot = unread ? `<circle cx="38" cy="14" r="14" fill="#b42318"/>${number}` : "";
  set(icon, "href", plainIcon.replace(/%3C\/svg%3E$/, encodeURIComponent(`${dot}</svg>`)));
  navigator.setAppBadge?.(unread).catch(() => {});
}

/** Quiet ones count only where one is mentioned. */
function isCounted(chat) {
  const { mention_count: mentions, notify, unread_count: unread } = chat.me;
  return mentions ? notify !== "none" : unread > 0 && !isQuiet(chat);
}

const isQuiet = (chat) => chat.me.notify !== "all" || isMuted(chat);

// Rows

function select(row, isOpen) {
  row.classList.toggle("is-selected", isOpen);
  if (isOpen) find("a", row).setAttribute("aria-current", "page");
  else find("a", row).removeAttribute("aria-current");
}

function renderAll() {
  renderStranded();
  for (const [id, row] of rows) if (!store.chats.has(id)) drop(id, row);
  for (const chat of store.chats.values()) fill(chat);
  arrangeAll();
  renderHead();
  showTitle();
  watch();
}

function renderOne(chat) {
  if (!rows.has(chat.id)) watch();
  fill(chat);
  arrangeAll();
  if (chat.id === store.openId) renderHead();
  showTitle();
}

function drop(id, row) {
  row.remove();
  rows.delete(id);
}

/** All that a row shows, but for who types and what is written here. */
function factsOf(chat) {
  const { unread_count: unread, mention_count: mentions } = chat.me;
  const { id, version, sender } = chat.last_message ?? {};
  return [titleOf(chat), unread, mentions, isQuiet(chat), chat.peer?.is_online, id, version, sender?.display_name].join("\n");
}

/** A row is as the server has rendered it; but for its time, which was UTC's. */
function adopt(chat, row) {
  setAge(slot(row, "time"), momentOf(chat));
  shown.set(row, { facts: factsOf(chat), said: slot(row, "line").textContent });
}

function fill(chat) {
  const row = rows.get(chat.id) ?? makeRow(chat);
  const facts = factsOf(chat);
  if (shown.get(row)?.facts !== facts) {
    fillFacts(chat, row);
    shown.set(row, { facts, said: lastLine(chat) });
  }
  fillLine(chat, row);
}

const momentOf = (chat) => chat.last_message?.created_at ?? chat.created_at;

function fillFacts(chat, row) {
  const { unread_count: unread, mention_count: mentions } = chat.me;
  slot(row, "name").textContent = titleOf(chat);
  paintAvatar(find(".avatar", row), titleOf(chat), chat.peer?.id ?? chat.id);
  setAge(slot(row, "time"), momentOf(chat));
  find(".presence", row)?.classList.toggle("is-online", Boolean(chat.peer?.is_online));
  row.classList.toggle("is-unread", unread > 0 && !isQuiet(chat));
  row.classList.toggle("is-muted", isQuiet(chat));
  badge(slot(row, "mentions"), mentions, `@${countText(mentions)}`);
  badge(slot(row, "unread"), isQuiet(chat) ? 0 : unread, countText(unread), " unread");
}

function makeRow(chat) {
  const row = clone("chat-row");
  row.dataset.chatId = chat.id;
  find("a", row).setAttribute("href", `/c/${chat.id}`);
  if (chat.peer) find(".presence", row).dataset.presence = chat.peer.id;
  else find(".presence", row).remove();
  rows.set(chat.id, row);
  return row;
}

function badge(target, number, text, spoken = "") {
  target.hidden = !number;
  target.replaceChildren(text);
  if (spoken) target.append(element("span", { class: "visually-hidden" }, spoken));
}

/** One line: who types, else what was refused or is written on, else the last message. */
function fillLine(chat, row) {
  const typing = chat.peer && typingText(chat.id) ? "typing…" : typingText(chat.id);
  const draft = chat.id === store.openId ? "" : preview(outbox.draftOf(chat.id)?.text ?? "");
  const failed = outbox.of(chat.id).find((entry) => entry.reason);
  const line = slot(row, "line");
  row.classList.toggle("is-typing", Boolean(typing));
  set(slot(row, "failed"), "hidden", !failed);
  const text = typing || (failed ? `You: ${preview(failed.content)}` : shown.get(row).said);
  if (draft && !typing && !failed) line.replaceChildren(element("span", { class: "is-alarming" }, "Draft: "), draft);
  else if (line.firstElementChild || line.textContent !== text) line.replaceChildren(text);
}

function lastLine(chat) {
  const message = chat.last_message;
  if (!message) return "No messages yet";
  const text = preview(message.content);
  if (message.system || !message.sender) return text;
  if (message.sender_id === store.me.id) return `You: ${text}`;
  return chat.peer ? text : `${message.sender.display_name}: ${text}`;
}

function renderWritten() {
  renderLines();
  renderStranded();
}

/** What was written in chats that one is no longer in. */
function renderStranded() {
  const number = outbox.stranded().length;
  find("[data-stranded]").hidden = !number;
  find("[data-stranded-count]").textContent = String(number);
}

function renderLines() {
  for (const [id, row] of rows) fillLine(store.chats.get(id), row);
}

/** In the order of activity, the pinned ones apart. */
function arrangeAll() {
  const place = { pinned: [], recent: [] };
  for (const chat of store.chats.values()) place[chat.me.pinned ? "pinned" : "recent"].push(rows.get(chat.id));
  for (const [name, wanted] of Object.entries(place)) arrange(find(".chat-list", lists[name]), wanted);
  lists.pinned.hidden = !place.pinned.length;
  find(".section-label", lists.recent).hidden = !place.pinned.length;
  const hint = find("[data-hint]");
  hint.hidden = rows.size > 1;
  hint.textContent = `Your ${rows.size ? "other " : ""}chats will show up here.`;
}

// Typing

function typingText(chatId) {
  const names = [...(store.typing.get(chatId)?.keys() ?? [])].map((id) => store.names.get(id) ?? "Somebody");
  if (!names.length) return "";
  if (names.length > MOST_NAMED) return "Several people are typing";
  return `${listOf(names)} ${names.length === 1 ? "is" : "are"} typing`;
}

function showTyping(chatId) {
  if (rows.has(chatId)) fillLine(store.chats.get(chatId), rows.get(chatId));
  if (chatId !== store.openId) return;
  find("[data-typing-text]").textContent = typingText(chatId);
  find("[data-typing-dots]").hidden = !typingText(chatId);
}

// The open chat's head and members

function renderHead() {
  const { chat } = store;
  if (!chat) return;
  const { id, me, peer, topic } = chat;
  const facts = [id, titleOf(chat), topic, isMuted(chat), me.pinned, peer?.username, peer?.is_online].join("\n");
  if (facts !== shownHead) fillHead(chat);
  shownHead = facts;
  renderState(chat);
}

function fillHead(chat) {
  for (const title of findAll("[data-chat-title]")) title.textContent = titleOf(chat);
  for (const avatar of findAll("[data-chat-avatar]")) paintPicture(avatar, chat);
  for (const part of findAll("[data-group]")) part.hidden = Boolean(chat.peer);
  for (const link of findAll("[data-chat-settings]")) link.setAttribute("href", `/c/${chat.id}/settings`);
  find("[data-chat-topic]").textContent = chat.peer ? `@${chat.peer.username}` : (chat.topic ?? "");
  find("[data-say-hello]").textContent = `Say hello to ${titleOf(chat)}.`;
  const field = find("[data-composer] textarea");
  field.placeholder = `Message ${titleOf(chat)}`;
  field.setAttribute("aria-label", field.placeholder);
  renderOwn(chat);
}

function renderOwn(chat) {
  for (const button of findAll("[data-does=mute]")) press(button, isMuted(chat), isMuted(chat) ? "Unmute" : "Mute");
  press(find("[data-details] [data-does=pin]"), chat.me.pinned, chat.me.pinned ? "Unpin" : "Pin");
}

function press(button, isPressed, name) {
  button.setAttribute("aria-pressed", String(isPressed));
  button.setAttribute("aria-label", name);
  const text = find("span", button);
  if (text) text.textContent = name;
}

function paintPicture(avatar, chat) {
  paintAvatar(avatar, titleOf(chat), chat.peer?.id ?? chat.id);
  const dot = find(".presence", avatar);
  dot.hidden = !chat.peer;
  dot.dataset.presence = chat.peer?.id ?? "";
  dot.classList.toggle("is-online", Boolean(chat.peer?.is_online));
}

function renderState(chat) {
  const members = `${chat.member_count} member${chat.member_count === 1 ? "" : "s"}`;
  set(find("[data-member-count]"), "textContent", members);
  const [plain, live] = stateOf(chat, members);
  const state = find("[data-chat-state]");
  if (state.textContent === plain + live) return;
  state.replaceChildren(plain, ...(live ? [element("span", { class: "is-live" }, live)] : []));
}

/** What is true always, and what is so only while one is connected: that stands apart. */
function stateOf({ member_count: count, peer }, members) {
  if (peer) return peer.is_online ? ["", "Online"] : [presenceWords(peer), ""];
  if (count === 1) return ["Only you, so far", ""];
  const online = [...store.members.values()].filter(({ user }) => user.is_online).length;
  return [members, store.room?.hasAllMembers ? ` · ${online} online` : ""];
}

function renderMembers() {
  renderHead();
  watch();
  if (find("[data-details]")?.checkVisibility()) showMembers();
}

/** Without a connection they stay as the server has rendered them. */
const showMembers = () => import("./members.js").then(({ members }) => members.show(), () => {});

// Presence

function showPresence(id, isOnline) {
  for (const dot of findAll(`[data-presence="${id}"]`)) dot.classList.toggle("is-online", isOnline);
  if (store.members.has(id) || store.chat?.peer?.id === id) renderMembers();
}

/** Asks to hear of all who have a dot, where they are others than before. */
async function watch() {
  const peers = [...store.chats.values()].map(({ peer }) => peer?.id).filter(Boolean);
  const ids = [...new Set([store.me.id, ...store.members.keys(), ...peers])].slice(0, MOST_WATCHED);
  if (ids.join() === watched || !socket.isUp) return;
  watched = ids.join();
  const answer = await socket.request("presence.watch", { user_ids: ids }).catch(() => null);
  for (const { user_id: id, ...facts } of answer?.users ?? []) store.takePresence(id, facts);
}
