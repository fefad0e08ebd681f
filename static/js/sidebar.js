// The list of chats, and who is online: kept as the server would render it.

import { avatarOf, clone, countText, element, find, findAll } from "./dom.js";
import { lastLine, listOf, paintAvatar, setAge, slot, titleOf } from "./dom.js";
import { socket } from "./socket.js";
import { store } from "./store.js";

const MOST_WATCHED = 500;
const MOST_NAMED = 2;

const lists = { pinned: find("[data-section=pinned]"), recent: find("[data-section=recent]") };
const rows = new Map(findAll(".chat-list > [data-chat-id]").map((row) => [row.dataset.chatId, row]));
const filter = find("[data-filter-chats]");
let watched = "";

export const sidebar = { start };

function start() {
  renderAll();
  store.on("chats", renderAll);
  store.on("chat", renderOne);
  store.on("typing", showTyping);
  store.on("members", renderMembers);
  store.on("presence", showPresence);
  socket.on("up", () => watch((watched = "")));
  filter.addEventListener("input", applyFilter);
}

// Rows

function renderAll() {
  for (const [id, row] of rows) if (!store.chats.has(id)) drop(id, row);
  for (const chat of store.chats.values()) fill(chat);
  arrange();
  renderHead();
  watch();
}

function renderOne(chat) {
  if (!rows.has(chat.id)) watch();
  fill(chat);
  arrange();
  if (chat.id === store.openId) renderHead();
}

function drop(id, row) {
  row.remove();
  rows.delete(id);
}

function fill(chat) {
  const row = rows.get(chat.id) ?? makeRow(chat);
  const { unread_count: unread, mention_count: mentions } = chat.me;
  slot(row, "name").textContent = titleOf(chat);
  paintAvatar(find(".avatar", row), titleOf(chat), chat.peer?.id ?? chat.id);
  setAge(slot(row, "time"), chat.last_message?.created_at ?? chat.created_at);
  find(".presence", row)?.classList.toggle("is-online", Boolean(chat.peer?.is_online));
  row.classList.toggle("is-unread", unread > 0);
  badge(slot(row, "mentions"), mentions, `@${countText(mentions)}`);
  badge(slot(row, "unread"), unread, countText(unread), " unread");
  fillLine(chat, row);
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

function fillLine(chat, row) {
  const typing = typingText(chat.id);
  row.classList.toggle("is-typing", Boolean(typing));
  slot(row, "line").textContent = typing || lastLine(chat, store.me.id);
}

/** In the order of activity, the pinned ones apart; moves only what stands wrong. */
function arrange() {
  const place = { pinned: [], recent: [] };
  for (const chat of store.chats.values()) {
    place[chat.me.pinned ? "pinned" : "recent"].push(rows.get(chat.id));
  }
  for (const [name, wanted] of Object.entries(place)) {
    let at = find(".chat-list", lists[name]).firstElementChild;
    for (const row of wanted) {
      if (row === at) at = at.nextElementSibling;
      else find(".chat-list", lists[name]).insertBefore(row, at);
    }
  }
  lists.pinned.hidden = !place.pinned.length;
  find(".section-label", lists.recent).hidden = !place.pinned.length;
  applyFilter();
}

function applyFilter() {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows.values()) {
    row.hidden = !slot(row, "name").textContent.toLowerCase().includes(wanted);
    shown += !row.hidden;
  }
  const hint = find("[data-hint]");
  hint.hidden = shown > 0;
  hint.textContent = store.chats.size ? "Nothing found." : "Your chats will show up here.";
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
  for (const title of findAll("[data-chat-title]")) title.textContent = titleOf(chat);
  find("[data-chat-topic]").textContent = chat.peer ? `@${chat.peer.username}` : (chat.topic ?? "");
  const field = find("[data-composer] textarea");
  field.placeholder = `Message ${titleOf(chat)}`;
  field.setAttribute("aria-label", field.placeholder);
  renderState(chat);
}

function renderState(chat) {
  const online = [...store.members.values()].filter(({ user }) => user.is_online).length;
  const members = `${chat.member_count} member${chat.member_count === 1 ? "" : "s"}`;
  const counted = find("[data-member-count]");
  if (counted) counted.textContent = members;
  const state = chat.peer?.is_online ? "Online" : "Offline";
  find("[data-chat-state]").textContent = chat.peer ? state : `${members} · ${online} online`;
}

function renderMembers() {
  find("[data-members]")?.replaceChildren(...[...store.members.values()].map(memberRow));
  renderHead();
  watch();
}

function memberRow({ user, role }) {
  const name = element("span", { class: "member-name" }, user.display_name);
  const row = element("li", { class: "member", "data-user-id": user.id });
  row.append(avatarOf(user, "small"), name);
  const you = user.id === store.me.id ? "You" : "";
  const chip = role === "member" ? you : role[0].toUpperCase() + role.slice(1);
  if (chip) row.append(element("span", { class: "chip" }, chip));
  return row;
}

// Presence

function showPresence(id, isOnline) {
  for (const dot of findAll(`[data-presence="${id}"]`)) dot.classList.toggle("is-online", isOnline);
  if (store.chat) renderState(store.chat);
}

/** Asks to hear of all who have a dot, where they are others than before. */
async function watch() {
  const peers = [...store.chats.values()].map(({ peer }) => peer?.id).filter(Boolean);
  const ids = [...new Set([...store.members.keys(), ...peers])].slice(0, MOST_WATCHED);
  if (ids.join() === watched || !socket.isUp) return;
  watched = ids.join();
  const answer = await socket.request("presence.watch", { user_ids: ids }).catch(() => null);
  for (const { user_id: id, ...facts } of answer?.users ?? []) store.takePresence(id, facts);
}
