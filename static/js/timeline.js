// The messages on screen: their rows, what stands between them, and where one is in them.

import { clone, dayName, dayOf, element, find, findAll, preview, slot } from "./dom.js";
import { fillPending, fillReply, fillRow, fillState, fillTimes } from "./dom.js";
import { outbox } from "./outbox.js";
import { store } from "./store.js";

const GROUP_GAP = 5 * 60 * 1000;
const PINNED_WITHIN = 64;
const MOST_ROWS = 300;
const TARGET_SECONDS = 2;
const LOAD_WITHIN = 1.5;

const region = find("[data-timeline]");
const list = find("[data-messages]");
const pill = find("[data-to-newest]");
const rows = new Map();
const pending = new Map();
const days = new Map();
const replies = new Map();
const divider = element("li", { class: "unread-line", id: "unread", role: "separator" });
divider.append(element("span", {}, "New messages"));
/** Others' messages above this seq stand below the divider; null for none. */
let mark = null;
let missed = 0;
let place = { isPinned: true, row: null, offset: 0, top: 0 };

export const timeline = {
  region,
  list,
  start,
  toEnd,
  goTo,
  clearDivider,
  /** The message that a row shows; none for one that is not stored yet. */
  messageOf: (row) => store.messages.get(Number(row?.dataset.seq)),
  rowOf: (seq) => rows.get(seq)?.row,
};

export const isWatched = () => !document.hidden && document.hasFocus();

function start() {
  region.style.overflowAnchor = "none";
  mark = hasUnread() ? store.chat.me.last_read_seq : null;
  adopt();
  for (const link of findAll(".timeline-more", region)) link.remove();
  render();
  open();
  store.on("messages", update);
  store.on("arrived", arrive);
  store.on("user", refill);
  outbox.on("change", update);
  region.addEventListener("scroll", scrolled, { passive: true });
  pill.addEventListener("click", () => toEnd({ isSmooth: true }));
  list.addEventListener("click", pressed);
  const observer = new ResizeObserver(settle);
  observer.observe(list);
  observer.observe(region);
  setInterval(showStates, 500);
}

function hasUnread() {
  const { me } = store.chat;
  const isLater = (message) => isBeyond(me.last_read_seq, message);
  return me.unread_count > 0 || store.sorted().some(isLater);
}

function isBeyond(seq, message) {
  const isOthers = message.sender_id && message.sender_id !== store.me.id;
  return seq !== null && isOthers && message.seq > seq;
}

/** Takes over the rows that the server rendered. */
function adopt() {
  for (const row of findAll(".message", list)) {
    const message = store.messages.get(Number(row.dataset.seq));
    if (!message) continue;
    if (message.reply_to) replies.set(message.reply_to, replyIn(row));
    rows.set(message.seq, { row, shown: message, reply: replies.get(message.reply_to) });
    fillTimes(row, message);
  }
}

function replyIn(row) {
  const seq = Number(slot(row, "reply").hash.slice(2));
  return { seq, name: slot(row, "reply-name").textContent, text: slot(row, "reply-text").textContent };
}

// Rows, as messaging/timeline.py groups them; but by the day of the reader's own zone

function render() {
  const wanted = [];
  let before = null;
  let isDivided = false;
  for (const message of [...store.sorted(), ...outbox.of(store.openId)]) {
    const row = rowFor(message);
    const day = dayOf(new Date(message.created_at));
    const isNewDay = !before || dayOf(new Date(before.created_at)) !== day;
    const isDividing = !isDivided && isBeyond(mark, message);
    isDivided ||= isDividing;
    if (isNewDay) wanted.push(dayLine(day));
    if (isDividing) wanted.push(divider);
    row.classList.toggle("is-first", isNewDay || isDividing || !continues(message, before));
    wanted.push(row);
    before = message;
  }
  arrange(wanted);
  forgetGone();
  find("[data-empty]", region)?.toggleAttribute("hidden", wanted.length > 0);
}

function forgetGone() {
  for (const seq of rows.keys()) if (!store.messages.has(seq)) rows.delete(seq);
  const waiting = new Set(outbox.of(store.openId).map((entry) => entry.client_id));
  for (const id of pending.keys()) if (!waiting.has(id)) pending.delete(id);
}

function continues(message, before) {
  if (message.system || before.system || message.reply_to) return false;
  const gap = new Date(message.created_at) - new Date(before.created_at);
  return senderOf(message) === senderOf(before) && gap < GROUP_GAP;
}

const senderOf = (message) => (message.seq ? message.sender_id : store.me.id);

/** Puts these elements into the list in this order, moving none that stands right. */
function arrange(wanted) {
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  let at = list.firstElementChild;
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling;
    else list.insertBefore(child, at);
  }
}

function dayLine(day) {
  if (!days.has(day)) {
    const time = element("time", { datetime: day, "data-day": day });
    days.set(day, element("li", { class: "day" }, element("h3", {}, time)));
  }
  find("time", days.get(day)).textContent = dayName(day);
  return days.get(day);
}

function rowFor(message) {
  if (!message.seq) return pendingRow(message);
  const known = rows.get(message.seq);
  const reply = replyOf(message.reply_to);
  const row = known?.row ?? takeOver(message) ?? clone("message");
  if (known?.shown !== message) fillRow(row, message, { readerId: store.me.id, reply });
  else if (known.reply !== reply) fillReply(row, message, reply);
  rows.set(message.seq, { row, shown: message, reply });
  return row;
}

/** A confirmed message goes on in the row that showed it before. */
function takeOver(message) {
  const row = message.sender_id === store.me.id ? pending.get(message.client_id) : null;
  if (!row) return null;
  pending.delete(message.client_id);
  row.classList.remove("is-pending");
  delete row.dataset.clientId;
  fillState(row, "", false);
  return row;
}

function pendingRow(entry) {
  if (!pending.has(entry.client_id)) {
    const row = clone("message");
    fillPending(row, entry, store.me, replyOf(entry.reply_to));
    pending.set(entry.client_id, row);
  }
  const row = pending.get(entry.client_id);
  fillState(row, outbox.stateOf(entry), Boolean(entry.reason));
  return row;
}

function showStates() {
  for (const entry of outbox.of(store.openId)) pendingRow(entry);
}

/** The same object as long as it says the same. */
function replyOf(id) {
  if (!id) return undefined;
  const message = store.withId(id);
  if (message) keepReply(message);
  else if (!replies.has(id)) findReply(id);
  return replies.get(id);
}

function keepReply({ id, seq, sender, content, deleted_at: deletedAt }) {
  const known = replies.get(id);
  const text = deletedAt ? "Message deleted" : preview(content);
  const name = sender?.display_name ?? "";
  if (known?.text !== text || known.name !== name) replies.set(id, { seq, name, text });
}

async function findReply(id) {
  replies.set(id, { seq: "", name: "", text: "An earlier message" });
  const message = await store.lookUp(id).catch(() => null);
  if (!message) return;
  keepReply(message);
  update();
}

function refill(user) {
  for (const known of rows.values()) if (known.shown.sender_id === user.id) known.shown = null;
  update();
}

// Where one is: pinned to the newest, or anchored to a row

function update() {
  if (region.scrollTop !== place.top) remember();
  render();
  settle();
}

function remember() {
  const isPinned = !store.hasAfter && distanceToEnd() <= PINNED_WITHIN;
  const row = isPinned ? null : firstVisible();
  place = { isPinned, row, offset: row && offsetOf(row), top: region.scrollTop };
  if (isPinned) missed = 0;
  showPill();
}

/** After any change of height: the end stays the end, and the anchor keeps its offset. */
function settle() {
  if (place.isPinned) region.scrollTop = region.scrollHeight;
  else if (place.row?.isConnected) region.scrollTop += offsetOf(place.row) - place.offset;
  place.top = region.scrollTop;
}

const distanceToEnd = () => region.scrollHeight - region.clientHeight - region.scrollTop;
const offsetOf = (row) => row.getBoundingClientRect().top - region.getBoundingClientRect().top;
const firstVisible = () => findAll(".message", list).find((row) => offsetOf(row) + row.offsetHeight > 0);

function scrolled() {
  remember();
  loadMore();
}

async function loadMore() {
  const near = region.clientHeight * LOAD_WITHIN;
  const wantsOlder = store.hasBefore && region.scrollTop < near;
  const wantsNewer = store.hasAfter && distanceToEnd() < near;
  if (!wantsOlder && !wantsNewer) return;
  const isLoaded = await (wantsOlder ? store.loadOlder() : store.loadNewer());
  if (isLoaded) loadMore();
}

function showPill() {
  const text = missed === 1 ? "1 new message" : `${missed} new messages`;
  pill.hidden = place.isPinned || !(missed || store.hasAfter);
  find("span", pill).textContent = missed ? text : "Jump to newest";
}

function arrive(message) {
  if (message.sender_id === store.me.id || !message.sender_id) return;
  if (!isWatched() && store.chat.me.unread_count <= 1) mark = message.seq - 1;
  if (!place.isPinned) missed += 1;
  else if (store.messages.size > MOST_ROWS) store.forgetOldest(MOST_ROWS / 3);
  update();
  showPill();
}

function clearDivider() {
  mark = null;
  update();
}

async function toEnd({ isSmooth = false } = {}) {
  if (store.hasAfter) await store.loadNewest();
  const isNear = distanceToEnd() < region.clientHeight * 3;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (isSmooth && isNear && !isCalm) region.scrollTo({ top: region.scrollHeight, behavior: "smooth" });
  else region.scrollTop = region.scrollHeight;
  if (!isSmooth) remember();
}

/** Centres a message that is there, and lights it up. */
function goTo(seq) {
  const { row } = rows.get(seq);
  region.scrollTop += offsetOf(row) - (region.clientHeight - row.offsetHeight) / 2;
  remember();
  row.classList.add("is-target");
  setTimeout(() => row.classList.remove("is-target"), TARGET_SECONDS * 1000);
}

function open() {
  const query = new URLSearchParams(location.search);
  const at = Number(query.get("at"));
  if (rows.has(at)) return goTo(at);
  if (divider.isConnected) region.scrollTop += offsetOf(divider) - region.clientHeight / 4;
  else region.scrollTop = query.has("after") ? 0 : region.scrollHeight;
  remember();
  loadMore();
}

function pressed(event) {
  const link = event.target.closest(".message-reply");
  const seq = Number(link?.hash.slice(2));
  if (link && (!seq || rows.has(seq))) {
    event.preventDefault();
    if (seq) goTo(seq);
  }
  const id = event.target.closest("[data-client-id]")?.dataset.clientId;
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act === "resend") outbox.retry(id);
  if (act === "discard") outbox.remove(id);
}
