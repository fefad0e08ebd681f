// What one can do with a message: the tools on its row, its menu, its keys, its reactions.

import { attention, markUnread } from "./attention.js";
import { composer } from "./composer.js";
import { find, findAll } from "./dom.js";
import { outbox } from "./keep.js";
import { place } from "./parts.js";
import { copy, describeRow, rowActs, watchChips } from "./rows.js";
import { socket } from "./socket.js";
import { emit, store } from "./store.js";
import { timeline } from "./timeline.js";

const tools = find("[data-tools]");
const panel = find("[data-menu]");
const dialog = find("[data-confirm]");
let chosen = null;

const acts = {
  reply: composer.reply,
  edit: composer.edit,
  copy: (message) => copy(message.content, "Text copied"),
  resend: (entry) => outbox.retry(entry.client_id),
  link: (message) => copy(`${location.origin}/c/${message.chat_id}?at=${message.seq}`, "Link copied"),
  unread: (message) => markUnread(message).catch((error) => emit("failed", error.message)),
  delete: confirmDelete,
};

export function start() {
  const { list, region } = timeline;
  watchChips();
  list.addEventListener("pointerover", (event) => offerTools(event.target));
  list.addEventListener("focusin", focused);
  region.addEventListener("pointerleave", left);
  list.addEventListener("click", clicked);
  region.addEventListener("keydown", pressed);
  panel.addEventListener("click", picked);
  panel.addEventListener("keydown", moveInMenu);
  panel.addEventListener("toggle", ({ newState }) => newState === "closed" && closed());
  // This comes after the page: a pointer may rest on a row already, and not move again.
  const hovered = find(".message:hover", list);
  if (hovered) offerTools(hovered);
}

const isAlive = (message) => message && !message.deleted_at && !message.system;
const isMine = (message) => message.sender_id === store.me.id;
const rowAt = (target) => target.closest?.(".message");
const failedAt = (row) => outbox.of(store.openId).find((entry) => entry.reason && entry.client_id === row?.dataset.clientId);
/** What can be done with a message that was refused. */
const ACTS_OF_FAILED = ["copy", "resend", "delete"];

// The tools

function offerTools(target) {
  const row = rowAt(target);
  if (!row || panel.matches(":popover-open")) return;
  const isFailed = Boolean(failedAt(row));
  if (!isFailed && !isAlive(timeline.messageOf(row))) return hideTools();
  for (const button of findAll("[data-act]", tools)) button.hidden = isFailed && button.dataset.act !== "menu";
  if (tools.parentElement !== row) row.append(tools);
  tools.hidden = false;
}

function hideTools() {
  tools.hidden = true;
}

/** A finger leaves with every touch. */
function left({ pointerType }) {
  if (pointerType !== "touch" && !panel.matches(":popover-open")) hideTools();
}

function focused({ target }) {
  offerTools(target);
  const message = timeline.messageOf(target);
  if (message && target === rowAt(target)) describeRow(target, message);
}

function clicked({ target }) {
  const row = rowAt(target);
  const message = timeline.messageOf(row);
  const button = target.closest("[data-act], [data-emoji]");
  const act = button?.dataset.act;
  if (rowActs[act]) rowActs[act](button);
  else if (act === "menu" || act === "menu-react") open(row, act);
  else if (message && button?.dataset.emoji) react(message, button.dataset.emoji);
  else if (message) acts[act]?.(message);
}

const busyReactions = new Set();

/** Shown at once, taken back where the server refuses. */
async function react(message, emoji) {
  const key = `${message.id} ${emoji}`;
  if (busyReactions.has(key)) return;
  busyReactions.add(key);
  const { room } = store;
  const isMine = message.reactions.some((one) => one.emoji === emoji && one.user_ids.includes(store.me.id));
  const guess = { ...message, reactions: toggled(message.reactions, emoji, isMine) };
  room.messages.set(message.seq, guess);
  emit("messages");
  findAll("[data-emoji]", timeline.rowOf(message.seq)).find((chip) => chip.dataset.emoji === emoji)?.classList.add("is-pending");
  const fields = { chat_id: message.chat_id, message_id: message.id, emoji };
  try {
    store.take((await socket.request(isMine ? "reaction.remove" : "reaction.add", fields)).message);
  } catch (error) {
    emit("failed", `Not changed. ${error.message}`);
  }
  busyReactions.delete(key);
  if (room.messages.get(message.seq) === guess) room.messages.set(message.seq, message);
  emit("messages");
}

function toggled(reactions, emoji, isMine) {
  const { id } = store.me;
  const found = reactions.some((one) => one.emoji === emoji);
  const all = found ? reactions : [...reactions, { emoji, user_ids: [] }];
  const ids = (one) => (isMine ? one.user_ids.filter((user) => user !== id) : [...one.user_ids, id]);
  const changed = all.map((one) => (one.emoji === emoji ? { ...one, user_ids: ids(one) } : one));
  return changed.filter((one) => one.user_ids.length);
}

async function reactWithOther(row, message) {
  const { pickEmoji } = await import("./emoji.js");
  const emoji = await pickEmoji(tools, { onClose: () => row.focus({ preventScroll: true }) });
  const isNew = !message.reactions.some((one) => one.emoji === emoji && one.user_ids.includes(store.me.id));
  if (emoji && isNew) react(message, emoji);
}

// The menu

function open(row, act) {
  chosen = row;
  const message = timeline.messageOf(row);
  for (const item of findAll("[data-act]", panel)) item.hidden = !isOffered(item.dataset.act, message);
  find(".menu-reactions", panel).hidden = !message;
  row.classList.add("is-selected");
  panel.showPopover();
  place(panel, tools.getBoundingClientRect());
  find(act === "menu-react" ? "[data-act=react]" : ".menu-item:not([hidden])", panel).focus();
}

/** Without a message: to one that was refused. */
function isOffered(act, message) {
  if (!message) return ACTS_OF_FAILED.includes(act);
  if (act === "edit") return isMine(message);
  return act === "delete" ? isMine(message) || store.canManage : act !== "resend";
}

function closed() {
  chosen?.classList.remove("is-selected");
  const isLost = document.activeElement === document.body || panel.contains(document.activeElement);
  if (isLost) chosen?.focus({ preventScroll: true });
}

function picked({ target }) {
  const button = target.closest("[data-act]");
  const entry = failedAt(chosen);
  const message = timeline.messageOf(chosen) ?? entry;
  if (!button || !message) return;
  panel.hidePopover();
  if (entry && button.dataset.act === "delete") outbox.remove(entry.client_id);
  else if (button.dataset.act === "react") react(message, button.dataset.emoji);
  else if (button.dataset.act === "react-other") reactWithOther(chosen, message);
  else acts[button.dataset.act](message);
}

function moveInMenu(event) {
  const items = findAll("[role=menuitem]", panel).filter((item) => item.checkVisibility());
  const named = items.find((item) => item.getAttribute("aria-keyshortcuts")?.toLowerCase() === event.key.toLowerCase());
  if (named && !event.ctrlKey && !event.metaKey && !event.altKey) return void (event.preventDefault(), named.click());
  const at = items.indexOf(document.activeElement);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  const targets = { Home: 0, End: items.length - 1 };
  const step = steps[event.key];
  const to = step ? (at + step + items.length) % items.length : targets[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[to].focus();
}

// Keys

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target !== timeline.region && event.target !== rowAt(event.target)) {
    if (event.key === "Escape") composer.focus();
    return;
  }
  const row = event.target === timeline.region ? null : event.target;
  if (moveAmongRows(row, event.key) || (row && actOnRow(row, event.key))) event.preventDefault();
}

function moveAmongRows(row, key) {
  if (!["ArrowUp", "ArrowDown", "Home", "End"].includes(key)) return false;
  if (!row && key !== "ArrowUp") return false;
  const rows = findAll(".message", timeline.list);
  const at = rows.indexOf(row ?? attention.visible().at(-1)) + (row ? 0 : 1);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[key];
  rows[to]?.focus();
  rows[to]?.scrollIntoView({ block: "nearest" });
  return true;
}

function actOnRow(row, key) {
  const message = timeline.messageOf(row);
  if (key === "Escape") composer.focus();
  else if (key === "Enter" && failedAt(row)) open(row, "menu");
  else if (!isAlive(message)) return false;
  else if (key === "Enter") open(row, "menu");
  else if (key === "+") open(row, "menu-react");
  else if (key === "c") acts.copy(message);
  else if (key === "l") acts.link(message);
  else if (key === "u") acts.unread(message);
  else if (key === "r") composer.reply(message);
  else if (key === "e" && isMine(message)) composer.edit(message);
  else if (key === "Delete" && (isMine(message) || store.canManage)) confirmDelete(message);
  else return false;
  return true;
}

// Deeds

export function confirmDelete(message) {
  const whose = isMine(message) ? "this message" : `${message.sender?.display_name ?? "this"}'s message`;
  const back = timeline.rowOf(message.seq);
  find("[data-confirm-title]", dialog).textContent = `Delete ${whose} for everyone?`;
  dialog.returnValue = "";
  dialog.showModal();
  find("[data-confirm-yes]", dialog).focus();
  dialog.addEventListener("close", () => finish(message, back), { once: true });
}

async function finish(message, row) {
  if (dialog.returnValue !== "delete") return row?.focus({ preventScroll: true });
  composer.focus();
  const fields = { chat_id: message.chat_id, message_id: message.id };
  try {
    store.take((await socket.request("message.delete", fields)).message);
  } catch (error) {
    row?.focus({ preventScroll: true });
    emit("failed", `Not deleted. ${error.message}`);
  }
}
