// Where the reader is in the messages: pinned to the newest or anchored to a row, and what is unread.

import { attention, isWatched } from "./attention.js";
import { find, findAll } from "./dom.js";
import { outbox } from "./keep.js";
import { socket } from "./socket.js";
import { emit, store } from "./store.js";
import { timeline } from "./timeline.js";

const PINNED_WITHIN = 64;
const MOST_ROWS = 300;
const STEP = 50;
const LOAD_WITHIN = 1.5;
const SMOOTH_WITHIN = 3;
const TARGET_SECONDS = 2;

const { region, list, divider } = timeline;
const below = find("[data-to-newest]");
const above = find("[data-to-unread]");

/** What is on screen: from a seq up to another, or on to whatever comes. */
let shown = { from: 1, to: Infinity };
let place = { isPinned: true, row: null, offset: 0, top: 0 };
/** Others' messages above `seq` stand below the divider, which tells of `count`; null for none. */
let mark = null;
let missed = 0;
let isExtending = false;

export const reading = { start, enter, leave, toEnd, toUnread, goTo, clearDivider, scrollByPage, rememberInHistory };

function start() {
  region.style.overflowAnchor = "none";
  timeline.start(update);
  store.on("messages", update);
  store.on("arrived", arrive);
  store.on("user", (user) => (timeline.refill(user), update()));
  outbox.on("change", update);
  store.on("held", hold);
  region.addEventListener("scroll", scrolled, { passive: true });
  below.addEventListener("click", () => toEnd({ isSmooth: true }));
  above.addEventListener("click", toUnread);
  list.addEventListener("click", followReply);
  const observer = new ResizeObserver(settle);
  observer.observe(list);
  observer.observe(region);
}

// Coming and going

/** Shows the open chat, filled: at a message, where one had left it, at the first unread, or its end. */
function enter({ at, left = store.room.place, isAdopted = false } = {}) {
  const { chat, room } = store;
  if (!isAdopted) timeline.reset();
  else timeline.adopt();
  mark = chat.me.unread_count ? (left?.mark ?? markNow()) : null;
  missed = 0;
  const seq = at ?? (left && !left.isPinned ? left.seq : null) ?? firstUnread();
  showAround(isHeld(seq) ? seq : null, isAdopted);
  timeline.render(shown, mark);
  if (at && isHeld(at)) goTo(at);
  else if (left && !left.isPinned && isHeld(left.seq)) scrollTo(timeline.rowOf(left.seq), left.offset);
  else if (!left && divider.isConnected) scrollTo(divider, region.clientHeight / 4);
  else region.scrollTop = region.scrollHeight;
  remember();
  showEmpty();
  extend();
  attention.look();
}

const markNow = () => ({ seq: store.chat.me.last_read_seq, count: store.chat.me.unread_count });
const isHeld = (seq) => seq !== null && store.room.messages.has(seq);
const firstUnread = () => (mark === null ? null : store.room.from(mark.seq + 1).find((message) => message.sender_id !== store.me.id)?.seq ?? null);

/** Few rows, so that it is quick; the rest comes as one scrolls. */
function showAround(seq, isAdopted) {
  const { room } = store;
  shown = { from: room.first, to: Infinity };
  if (isAdopted) return;
  if (seq === null) shown.from = Math.max(room.first, room.last - STEP + 1);
  else shown = { from: Math.max(room.first, seq - STEP / 2), to: limit(seq + STEP) };
}

/** Infinity where the stretch ends there: then what comes is shown as it comes. */
const limit = (seq) => (seq >= store.room.last ? Infinity : seq);

function scrollTo(row, offset) {
  region.scrollTop += offsetOf(row) - offset;
}

/** What to give `enter` when one comes back. */
function leave() {
  attention.tellSeen();
  return placeNow();
}

function placeNow() {
  const { isPinned, row, offset } = place;
  return { isPinned, offset, seq: Number(row?.dataset.seq) || null, mark };
}

/** So that a reload comes back to the same place. */
function rememberInHistory() {
  if (store.room?.isFilled) history.replaceState({ place: placeNow() }, "");
}

function showEmpty() {
  find("[data-empty]", region).hidden = list.childElementCount > 0 || !store.room?.isFilled;
}

// Changes

/** All that changes rows or heights goes through here: the end stays the end, an anchor its offset. */
function update() {
  if (!store.room?.isFilled) return;
  if (region.scrollTop !== place.top) remember();
  trim();
  timeline.render(shown, mark);
  showEmpty();
  settle();
  attention.look();
}

function remember() {
  const isPinned = isAtEnd() && distanceToEnd() <= PINNED_WITHIN && !hasSelection();
  const row = isPinned ? null : firstVisible();
  place = { isPinned, row, offset: row && offsetOf(row), top: region.scrollTop };
  if (isPinned) missed = 0;
  showPills();
}

/** A row grows or shrinks because the reader wants it: it stays, and what is below moves. */
function hold(row) {
  place = { isPinned: false, row, offset: offsetOf(row), top: region.scrollTop };
}

function settle() {
  if (place.isPinned) region.scrollTop = region.scrollHeight;
  else if (place.row?.isConnected) region.scrollTop += offsetOf(place.row) - place.offset;
  place.top = region.scrollTop;
}

/** While one follows the newest, the oldest rows go. */
function trim() {
  const { last } = store.room;
  if (place.isPinned && shown.to === Infinity && last - shown.from >= MOST_ROWS) shown.from = last - MOST_ROWS + STEP;
}

const isAtEnd = () => shown.to === Infinity && !store.room.hasAfter;
const hasSelection = () => !getSelection().isCollapsed && region.contains(getSelection().anchorNode);
const distanceToEnd = () => region.scrollHeight - region.clientHeight - region.scrollTop;
const offsetOf = (row) => row.getBoundingClientRect().top - region.getBoundingClientRect().top;

/** By halves: rows stand in the order of their places. */
function firstVisible() {
  const rows = findAll(".message", list);
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsetOf(rows[middle]) + rows[middle].offsetHeight > 0) high = middle;
    else low = middle + 1;
  }
  return rows[low] ?? null;
}

function arrive(message) {
  if (message.sender_id === store.me.id || !message.sender_id) return;
  if (!isWatched()) divide(message);
  if (!place.isPinned) missed += 1;
  update();
  showPills();
}

/** What comes while one looks elsewhere stands below the divider, above the first of it. */
function divide(message) {
  const count = store.chat.me.unread_count;
  mark = { seq: mark && count > 1 ? mark.seq : message.seq - 1, count };
}

// Scrolling

function scrolled() {
  if (!store.room?.isFilled) return;
  remember();
  extend();
  attention.look();
}

/** Shows more rows where one nears an end: from memory, else from the server. */
async function extend() {
  if (isExtending || !store.room?.isFilled || hasSelection()) return;
  const near = region.clientHeight * LOAD_WITHIN;
  const wantsOlder = region.scrollTop < near && (shown.from > store.room.first || store.room.hasBefore);
  const wantsNewer = distanceToEnd() < near && !isAtEnd();
  if (!wantsOlder && !wantsNewer) return;
  isExtending = true;
  const { room } = store;
  const isDone = await (wantsOlder ? extendUp(room) : extendDown(room)).catch(() => false);
  isExtending = false;
  if (isDone && room === store.room) extend();
}

async function extendUp(room) {
  if (shown.from <= room.first) await room.loadOlder();
  if (room !== store.room) return false;
  const from = Math.max(room.first, shown.from - STEP);
  const isMoved = from < shown.from;
  const to = Math.min(shown.to, room.last) - from >= MOST_ROWS ? from + MOST_ROWS - 1 : shown.to;
  shown = { from, to: Math.min(to, shown.to) };
  update();
  return isMoved;
}

async function extendDown(room) {
  const was = Math.min(shown.to, room.last);
  if (shown.to >= room.last) await room.loadNewer();
  if (room !== store.room) return false;
  const to = limit(was + STEP);
  const last = Math.min(to, room.last);
  shown = { from: Math.max(shown.from, last - MOST_ROWS + 1), to };
  update();
  return true;
}

async function toEnd({ isSmooth = false } = {}) {
  const { room } = store;
  if (room.hasAfter) await room.loadAround(0).catch(() => {});
  if (room !== store.room) return;
  const isNear = isAtEnd() && distanceToEnd() < region.clientHeight * SMOOTH_WITHIN;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (isSmooth && isNear && !isCalm) return region.scrollTo({ top: region.scrollHeight, behavior: "smooth" });
  if (!isAtEnd() || shown.from < room.first) shown = { from: Math.max(room.first, room.last - STEP + 1), to: Infinity };
  place = { isPinned: true, row: null, offset: 0, top: region.scrollTop };
  update();
  remember();
}

/** Centres a message and lights it up; loads it where it is not there. */
async function goTo(seq) {
  const { room } = store;
  if (!isHeld(seq)) await room.loadAround(seq);
  if (room !== store.room || !isHeld(seq)) return;
  if (!timeline.rowOf(seq)) showAround(seq);
  timeline.render(shown, mark);
  const row = timeline.rowOf(seq);
  scrollTo(row, (region.clientHeight - row.offsetHeight) / 2);
  remember();
  row.classList.add("is-target");
  setTimeout(() => row.classList.remove("is-target"), TARGET_SECONDS * 1000);
}

async function toUnread() {
  const { room } = store;
  if (!isHeld(mark.seq + 1)) await room.loadAround(mark.seq + 1).catch(() => {});
  const seq = firstUnread();
  if (room !== store.room || seq === null) return;
  if (!timeline.rowOf(seq)) showAround(seq);
  timeline.render(shown, mark);
  scrollTo(divider.isConnected ? divider : timeline.rowOf(seq), region.clientHeight / 4);
  remember();
}

function scrollByPage(sign) {
  region.scrollBy({ top: sign * region.clientHeight * 0.9 });
}

// Pills and the divider

function showPills() {
  const text = missed === 1 ? "1 new message" : `${missed} new messages`;
  below.hidden = isAtEnd() && (place.isPinned || !missed) && distanceToEnd() < region.clientHeight;
  find("span", below).textContent = missed ? text : isAtEnd() ? "Jump to newest" : "Viewing older messages · Jump to newest";
  above.hidden = mark === null || !store.chat.me.unread_count || isDividerInReach();
}

/** In sight, or still to come. */
function isDividerInReach() {
  if (divider.isConnected) return offsetOf(divider) > -divider.offsetHeight;
  return shown.from <= mark.seq + 1;
}

function clearDivider() {
  if (mark === null) return false;
  mark = null;
  update();
  showPills();
  return true;
}

/** A link to the answered message leads there without leaving the page. */
function followReply(event) {
  const link = event.target.closest(".message-reply");
  const seq = Number(link?.hash.slice(2));
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (seq) goTo(seq).catch(() => emit("failed", "This message could not be loaded."));
}

/** Leaves a message and what came after it unread until the reader comes back. */
export async function markUnread(message) {
  const { room } = store;
  const { me } = await socket.request("unread", { chat_id: room.id, seq: message.seq });
  room.isLeftUnread = true;
  room.toldSeq = 0;
  store.takeMe(room.id, me);
  mark = markNow();
  update();
}
