// Where the reader is in the messages: pinned to the newest, or anchored to what is in sight.

import { attention } from "./attention.js";
import { find, set } from "./dom.js";
import { outbox } from "./keep.js";
import { emit, store } from "./store.js";
import { timeline, topOf } from "./timeline.js";

const PINNED_WITHIN = 64;
const MOST_ROWS = 300;
const STEP = 50;
const GROW = 20;
const LOAD_WITHIN = 1.5;

const { region, list } = timeline;
const below = find("[data-to-newest]");
const above = find("[data-to-unread]");

/** What is on screen: from a seq up to another, or on to whatever comes. */
let shown = { from: 1, to: Infinity };
/** Rows in sight and how high they stand: the first that is still there stays there. */
let place = { isPinned: true, rows: [], top: 0 };
let missed = 0;
let isSelecting = false;
/** The room that more rows are on their way for. */
let extending = null;

export const reading = { start, enter, placeNow, toEnd, goTo, clearDivider: attention.clearDivider };

function start() {
  region.style.overflowAnchor = "none";
  timeline.start({ again: update, landed });
  store.on("messages", update);
  store.on("arrived", arrive);
  store.on("user", (user) => (timeline.refill(user), update()));
  outbox.on("change", update);
  store.on("held", hold);
  region.addEventListener("scroll", scrolled, { passive: true });
  region.addEventListener("keydown", pressed);
  document.addEventListener("selectionchange", selected);
  below.addEventListener("click", () => toEnd({ isSmooth: true }));
  above.addEventListener("click", toUnread);
  list.addEventListener("click", followReply);
  const observer = new ResizeObserver(settle);
  observer.observe(list);
  observer.observe(region);
}

// Coming and going

/** Shows the open chat, filled: at a message, where one had left it, at the first unread, or its end. */
function enter({ at, left = null, isAdopted = false, isSame = false } = {}) {
  if (isAdopted) timeline.adopt();
  else timeline.reset();
  if (!isSame) {
    attention.enter();
    missed = 0;
  }
  const isBack = !isHeld(at) && left && !left.isPinned && isHeld(left.seq);
  const isNewest = isSame || store.me.settings.opens_at_newest;
  const seq = isHeld(at) ? at : isBack ? left.seq : isNewest ? null : (attention.divider()?.seq ?? null);
  shown = isAdopted ? { from: store.room.first, to: Infinity } : around(seq);
  render();
  region.scrollTop = aimAt(seq, isBack ? left.offset : seq === at ? null : region.clientHeight / 4);
  if (isHeld(at)) timeline.light(at);
  remember();
  extend();
  attention.look();
}

const isHeld = (seq) => Boolean(seq) && store.room.messages.has(seq);

/** Few rows, so that it is quick; the rest comes as one scrolls. Null for the end. */
function around(seq) {
  const { first, last } = store.room;
  if (seq === null) return { from: Math.max(first, last - STEP + 1), to: Infinity };
  return { from: Math.max(first, seq - STEP / 2), to: limit(seq + STEP) };
}

/** Infinity where the stretch ends there: then what comes is shown as it comes. */
const limit = (seq) => (seq >= store.room.last ? Infinity : seq);

/** How far to scroll so that a row stands there, beneath its divider; in the middle where nothing is said. */
function aimAt(seq, offset = null) {
  const row = timeline.rowOf(seq);
  if (!row) return region.scrollHeight;
  const isDivided = offset === region.clientHeight / 4 && row.previousElementSibling === timeline.divider;
  const target = isDivided ? timeline.divider : row;
  return region.scrollTop + topOf(target) - topOf(region) - (offset ?? Math.max(0, (region.clientHeight - row.offsetHeight) / 2));
}

/** What to give `enter` when one comes back. */
function placeNow() {
  const anchor = place.rows.find(({ row }) => row.dataset.seq);
  const seq = anchor ? Number(anchor.row.dataset.seq) : null;
  return { isPinned: place.isPinned, seq, offset: anchor ? anchor.y - topOf(region) : 0 };
}

// Changes

/** All that changes rows or heights goes through here: the end stays the end, an anchor its offset. */
function update() {
  if (!store.room?.isFilled) return;
  if (region.scrollTop !== place.top || (place.isPinned && hasSelection())) remember();
  trim();
  render();
  settle();
  showPills();
  attention.look();
}

function render() {
  timeline.render(shown, attention.divider(), new Set(place.rows.map(({ row }) => row)));
  set(find("[data-empty]", region), "hidden", list.childElementCount > 0);
}

function remember() {
  const isPinned = isAtEnd() && distanceToEnd() <= PINNED_WITHIN && !hasSelection();
  place = { isPinned, rows: isPinned ? [] : attention.anchors(), top: region.scrollTop };
  if (isPinned) missed = 0;
  showPills();
}

/** A row grows or shrinks because the reader wants it: it stays, and what is below moves. */
function hold(row) {
  place = { isPinned: false, rows: [{ row, y: topOf(row) }], top: region.scrollTop };
}

function settle() {
  if (timeline.isGliding || !store.room?.isFilled) return;
  const anchor = place.rows.find(({ row }) => row.isConnected);
  const drift = anchor ? topOf(anchor.row) - anchor.y : 0;
  if (place.isPinned) region.scrollTop = region.scrollHeight;
  else if (drift) region.scrollTop += drift;
  place.top = region.scrollTop;
}

/** The rows that are furthest from what one looks at go, where there are too many. */
function trim() {
  const { last } = store.room;
  if (countRows() <= MOST_ROWS || hasSelection()) return;
  if (place.isPinned) shown = { from: last - MOST_ROWS + STEP + 1, to: Infinity };
  else {
    const from = Math.max(shown.from, (placeNow().seq ?? last) - MOST_ROWS / 2);
    shown = { from, to: limit(Math.min(shown.to, from + MOST_ROWS - 1)) };
  }
}

function countRows() {
  const waiting = shown.to === Infinity ? outbox.of(store.openId).length : 0;
  return Math.min(shown.to, store.room.last) - shown.from + 1 + waiting;
}

const isAtEnd = () => shown.to === Infinity && !store.room.hasAfter;
const hasSelection = () => !getSelection().isCollapsed && region.contains(getSelection().anchorNode);
const distanceToEnd = () => region.scrollHeight - region.clientHeight - region.scrollTop;

function arrive(message) {
  if (message.sender_id === store.me.id || !message.sender_id) return;
  attention.divide();
  if (!place.isPinned) missed += 1;
  update();
}

/** While text is selected nothing follows the newest, and no row goes. */
function selected() {
  if (isSelecting === hasSelection() || !store.room?.isFilled) return;
  isSelecting = !isSelecting;
  remember();
  if (!isSelecting) update();
  extend();
}

// Scrolling

function scrolled() {
  if (!store.room?.isFilled) return;
  if (region.scrollTop !== place.top) remember();
  extend();
  attention.look();
}

function pressed(event) {
  if (event.target !== region || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.key === "End") toEnd({ isSmooth: true });
  else if (event.key === "Home") goTo(1, () => 0);
  else return;
  event.preventDefault();
}

/** Shows more rows where one nears an end: from memory, else from the server. */
async function extend() {
  const { room } = store;
  if (!room?.isFilled || extending === room || timeline.isGliding || hasSelection()) return;
  const near = region.clientHeight * LOAD_WITHIN;
  const isFull = place.isPinned && countRows() + STEP > MOST_ROWS;
  const wantsOlder = region.scrollTop < near && (shown.from > room.first || room.hasBefore) && !isFull;
  const wantsNewer = distanceToEnd() < near && !isAtEnd();
  if (!wantsOlder && !wantsNewer) return;
  extending = room;
  const isDone = await (wantsOlder ? extendUp(room) : extendDown(room)).catch(() => false);
  if (extending === room) extending = null;
  if (isDone) setTimeout(extend); // in a frame of its own
}

/** True where it led further. */
async function extendUp(room) {
  if (shown.from <= room.first) await room.loadOlder();
  if (room !== store.room) return false;
  const was = shown.from;
  shown.from = Math.max(room.first, was - GROW);
  update();
  return shown.from < was;
}

async function extendDown(room) {
  const was = Math.min(shown.to, room.last);
  if (shown.to >= room.last) await room.loadNewer();
  if (room !== store.room) return false;
  shown.to = limit(was + GROW);
  update();
  return Math.min(shown.to, room.last) > was;
}

// Jumps

async function toEnd({ isSmooth = false } = {}) {
  const { room } = store;
  const isJoined = isAtEnd();
  if (room.hasAfter) await room.loadAround(0).catch(() => {});
  if (room !== store.room) return;
  if (!isJoined) shown = around(null);
  if (!isSmooth) place = { isPinned: true, rows: [], top: region.scrollTop };
  update();
  if (isSmooth) timeline.glide(() => region.scrollHeight - region.clientHeight, isJoined);
  else remember();
}

/** Centres a message and lights it up; loads it where it is not there. */
async function goTo(wanted, aim) {
  const { room } = store;
  const seq = Math.min(wanted, store.chat.last_seq);
  if (!isHeld(seq)) await room.loadAround(seq).catch(() => emit("failed", "This message could not be loaded."));
  if (room !== store.room || !isHeld(seq)) return;
  jumpTo(seq, aim ?? (() => aimAt(seq)));
  if (!aim) timeline.light(seq);
}

async function toUnread() {
  const { chat, room } = store;
  if (attention.nextUnread() === 0) await room.loadAround(chat.me.last_read_seq + 1).catch(() => {});
  if (room !== store.room) return;
  const seq = attention.nextUnread();
  if (seq) jumpTo(seq, () => aimAt(seq, region.clientHeight / 4));
  else toEnd();
}

function jumpTo(seq, aim) {
  const isJoined = Boolean(timeline.rowOf(seq)) && store.room.messages.has(shown.from);
  if (!isJoined) shown = around(seq);
  update();
  timeline.glide(aim, isJoined);
}

function landed() {
  remember();
  extend();
  attention.look();
}

/** A link to the answered message leads there without leaving the page. */
function followReply(event) {
  const link = event.target.closest(".message-reply");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.hash.slice(2)) goTo(Number(link.hash.slice(2)));
}

// Pills

function showPills() {
  const text = missed === 1 ? "1 new message" : `${missed} new messages`;
  set(below, "hidden", isAtEnd() && (place.isPinned || !missed) && distanceToEnd() < region.clientHeight);
  set(find("span", below), "textContent", missed ? text : isAtEnd() ? "Jump to newest" : "Viewing older messages · Jump to newest");
  set(above, "hidden", !isUnreadAbove());
}

function isUnreadAbove() {
  const seq = attention.nextUnread();
  const row = timeline.rowOf(seq);
  if (row) return topOf(row) < topOf(region) && row.offsetHeight <= region.clientHeight;
  return seq !== null && seq < shown.from;
}
