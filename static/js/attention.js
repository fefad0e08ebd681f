// What is in sight and has been seen, where the divider stands, and what a screen reader is told.

import { find, listOf, preview } from "./dom.js";
import { socket } from "./socket.js";
import { emit, isUnread, store } from "./store.js";
import { timeline, topOf } from "./timeline.js";

const MARK_SECONDS = 0.5;
const ACTIVE_SECONDS = 60;
const ACTIVITIES = ["pointerdown", "pointermove", "keydown", "touchstart", "wheel", "focus"];
const SPEAK_SECONDS = 2;
const MOST_SPOKEN = 3;

const { region } = timeline;
/** What others said above `seq` stands below the divider, which tells of `count`; null for none. */
let mark = null;
let activeAt = Date.now();
let toldAt = 0;
let markTimer = 0;
let unspoken = [];
let speakTimer = 0;

export const attention = { start, enter, leave, look, visible, anchors, divide, divider, clearDivider, nextUnread };

function start() {
  for (const type of ACTIVITIES) addEventListener(type, becomeActive, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? tell() : look()));
  addEventListener("focus", look);
  addEventListener("pagehide", tell);
  socket.on("up", look);
  store.on("arrived", hear);
}

function enter() {
  mark = store.chat.me.unread_count ? markNow() : null;
}

function leave() {
  look();
  tell();
}

// What is in sight

/** The rows in sight, found by halves: they stand in the order of their places. */
function visible() {
  const { top, bottom } = region.getBoundingClientRect();
  const all = [...timeline.list.children];
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].getBoundingClientRect().bottom > top) high = middle;
    else low = middle + 1;
  }
  let end = low;
  while (end < all.length && all[end].getBoundingClientRect().top < bottom) end += 1;
  return all.slice(low, end).filter((row) => row.matches(".message"));
}

/** The rows in sight and how high they stand: those that begin there first, as what ends there may grow. */
function anchors() {
  const rows = visible().map((row) => ({ row, y: topOf(row) }));
  const top = topOf(region);
  const at = rows.findIndex(({ y }) => y >= top && y < top + region.clientHeight / 2);
  return at > 0 ? [...rows.slice(at), ...rows.slice(0, at)] : rows;
}

// What was seen

function becomeActive() {
  const wasIdle = !isActive();
  activeAt = Date.now();
  if (wasIdle) look();
}

const isWatched = () => !document.hidden && document.hasFocus();
const isActive = () => isWatched() && Date.now() - activeAt < ACTIVE_SECONDS * 1000;

function look() {
  const { room } = store;
  if (!room?.isFilled || room.isLeftUnread || !isActive()) return;
  for (const row of visible().filter(isWhole)) room.seen.add(Number(row.dataset.seq));
  markTimer ||= setTimeout(tell, Math.max(0, toldAt + MARK_SECONDS * 1000 - Date.now()));
}

/** Or its end is in sight, where there is no room for all of it. */
function isWhole(row) {
  const [outer, inner] = [region.getBoundingClientRect(), row.getBoundingClientRect()];
  return inner.bottom <= outer.bottom + 1 && (inner.top >= outer.top - 1 || inner.height > outer.height);
}

/** Moves the read mark to the newest message seen before which none was skipped. */
function tell() {
  clearTimeout(markTimer);
  markTimer = 0;
  const { room } = store;
  if (!room?.isFilled || room.isLeftUnread || !socket.isUp) return;
  const seq = readSeq();
  if (seq <= knownSeq()) return;
  room.toldSeq = seq;
  toldAt = Date.now();
  socket.request("read", { chat_id: room.id, seq }).then(
    ({ me }) => store.takeMe(room.id, me),
    ({ isRefused }) => ((room.toldSeq = 0), isRefused || look()),
  );
}

const knownSeq = () => Math.max(store.chat.me.last_read_seq, store.room.toldSeq);

function readSeq() {
  const { room } = store;
  const known = knownSeq();
  if (!isHeldFrom(known)) return known;
  let read = known;
  for (const message of room.from(known + 1, room.last)) {
    if (room.seen.has(message.seq)) read = message.seq;
    else if (isUnread(message, known)) break;
  }
  return read;
}

/** Whether all that is unread above a mark is here, so that the first of it is known. */
function isHeldFrom(seq, count = store.chat.me.unread_count) {
  const { room } = store;
  return room.first <= seq + 1 || (!room.hasAfter && countFrom(seq) >= count);
}

function countFrom(seq) {
  return store.room.from(seq + 1).filter((message) => isUnread(message, seq)).length;
}

/** The first that is neither read nor seen; 0 where it is further up than what is held; else null. */
function nextUnread() {
  const read = readSeq();
  if (!store.chat.me.unread_count) return null;
  if (!isHeldFrom(read)) return 0;
  return store.room.from(read + 1).find((message) => isUnread(message, read))?.seq ?? null;
}

// The divider

function markNow() {
  const [seq, { chat, room }] = [readSeq(), store];
  const isCounted = room.first <= seq + 1 && !room.hasAfter;
  return { seq, count: isCounted ? countFrom(seq) : chat.me.unread_count };
}

/** What comes while nobody looks stands below the divider. */
function divide() {
  if (!isActive()) mark = markNow();
}

/** The message above which it stands, and how many it tells of; null for none. */
function divider() {
  if (!mark || !isHeldFrom(mark.seq, mark.count)) return null;
  const isOthers = ({ sender_id: sender }) => sender && sender !== store.me.id;
  const first = store.room.from(mark.seq + 1).find(isOthers);
  return first ? { seq: first.seq, count: mark.count } : null;
}

function clearDivider() {
  if (!mark) return false;
  mark = null;
  emit("messages");
  return true;
}

/** Leaves a message and what came after it unread until the reader comes back. */
export async function markUnread(message) {
  const { room } = store;
  room.isLeftUnread = true;
  try {
    const { me } = await socket.request("unread", { chat_id: room.id, seq: message.seq });
    room.seen.clear();
    room.toldSeq = 0;
    store.takeMe(room.id, me);
  } catch (error) {
    room.isLeftUnread = false;
    throw error;
  }
  if (room !== store.room) return;
  mark = markNow();
  emit("messages");
}

// What is said

function hear(message) {
  if (!isWatched() || !message.sender || message.sender_id === store.me.id || !isWanted(message)) return;
  unspoken.push(message);
  if (unspoken.length < MOST_SPOKEN) speak(sentence(message));
  clearTimeout(speakTimer);
  speakTimer = setTimeout(speakRest, SPEAK_SECONDS * 1000);
}

function isWanted({ mentions }) {
  const { announces } = store.me.settings;
  return announces !== "off" && (announces !== "mentions" || mentions.includes(store.me.id));
}

const sentence = ({ sender, content }) => `${sender.display_name}: ${preview(content, 200)}`;

function speakRest() {
  const names = [...new Set(unspoken.map(({ sender }) => sender.display_name))];
  if (unspoken.length >= MOST_SPOKEN) speak(`${unspoken.length} new messages from ${listOf(names)}`);
  unspoken = [];
}

function speak(text) {
  find("[data-announcer]").textContent = text;
}
