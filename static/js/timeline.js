// The messages on screen: their rows, and what stands between them.

import { adoptRow, arrange, clone, countText, dayName, dayOf, element, find, findAll, icon } from "./dom.js";
import { dressText, fillHead, fillReply, fillRow, foldLong, preview, slot } from "./dom.js";
import { outbox } from "./keep.js";
import { socket } from "./socket.js";
import { store } from "./store.js";

const GROUP_GAP = 5 * 60 * 1000;
const STATE_SECONDS = 0.5;
const TARGET_SECONDS = 2;
const SMOOTH_WITHIN = 3;
const FADE_SECONDS = 0.12;
const GLIDE_SECONDS = 1;
const INTERRUPTIONS = ["wheel", "touchstart", "pointerdown", "keydown"];

const region = find("[data-timeline]");
const list = find("[data-messages]");
const rows = new Map();
const pending = new Map();
const days = new Map();
const replies = new Map();
const divider = element("li", { class: "unread-line", id: "unread" }, element("span", { role: "separator" }));
let again = () => {};
let landed = () => {};
/** Where a smooth jump leads to, while it lasts. */
let gliding = null;
let format = plainly;

export const timeline = {
  region,
  list,
  divider,
  start,
  adopt,
  render,
  reset,
  refill,
  /** The message that a row shows; none for one that is not stored yet. */
  messageOf: (row) => store.room?.messages.get(Number(row?.dataset.seq)),
  rowOf: (seq) => rows.get(seq)?.row,
  light,
  glide,
  get isGliding() {
    return gliding !== null;
  },
  scrollByPage: (sign) => region.scrollBy({ top: sign * region.clientHeight * 0.9 }),
};

export const topOf = (target) => target.getBoundingClientRect().top;

/** `again` is called when a row has learned something, `landed` at the end of a jump. */
function start(callbacks) {
  ({ again, landed } = callbacks);
  region.addEventListener("scrollend", land);
  for (const type of INTERRUPTIONS) region.addEventListener(type, () => (gliding = null), { passive: true });
  list.addEventListener("click", pressed);
  addEventListener("load", loadFormat);
  socket.on("up", loadFormat);
  setInterval(() => store.room && outbox.of(store.openId).forEach(pendingRow), STATE_SECONDS * 1000);
}

/** Takes over the rows that the server rendered. */
function adopt() {
  for (const row of findAll(".message", list)) {
    const message = store.room.messages.get(Number(row.dataset.seq));
    if (!message) continue;
    if (message.reply_to) replies.set(message.reply_to, replyIn(row));
    rows.set(message.seq, { row, shown: message, reply: replies.get(message.reply_to), ...dateOf(message) });
    adoptRow(row, message);
  }
  for (const link of findAll(".timeline-more", region)) link.remove();
}

function replyIn(row) {
  const seq = Number(slot(row, "reply").hash.slice(2));
  return { seq, name: slot(row, "reply-name").textContent, text: slot(row, "reply-text").textContent };
}

/** Forgets all rows: another chat's come. */
function reset() {
  gliding = null;
  rows.clear();
  pending.clear();
  list.replaceChildren();
}

/** Smoothly where it is near, and rows are all the way; else at once, with a short fade. */
function glide(aim, isJoined) {
  const way = Math.abs(aim() - region.scrollTop);
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  gliding = aim;
  if (isJoined && !isCalm && way > 1 && way < region.clientHeight * SMOOTH_WITHIN) {
    region.scrollTo({ top: aim(), behavior: "smooth" });
    setTimeout(() => gliding === aim && land(), GLIDE_SECONDS * 1000);
  } else {
    land();
    if (!isCalm && way > 1) list.animate({ opacity: [0, 1] }, FADE_SECONDS * 1000);
  }
}

function land() {
  if (!gliding) return;
  region.scrollTop = gliding();
  gliding = null;
  landed();
}

function light(seq) {
  const { row } = rows.get(seq);
  row.classList.add("is-target");
  setTimeout(() => row.classList.remove("is-target"), TARGET_SECONDS * 1000);
}

// Rows, as messaging/timeline.py groups them; but by the day of the reader's own zone

/**
 * Shows the messages from a seq up to another; the divider stands above the first that is new.
 * What is `inSight` keeps its head: without it, all beneath would move.
 */
function render({ from, to }, firstNew, inSight) {
  divider.firstChild.textContent = firstNew?.count > 1 ? `${countText(firstNew.count)} new messages` : "New message";
  const wanted = [];
  const shown = store.room.from(from, to);
  const waiting = to === Infinity ? outbox.of(store.openId) : [];
  let before = null;
  for (const message of [...shown, ...waiting]) {
    const known = message.seq ? rowFor(message) : pendingRow(message);
    const isNewDay = before?.day !== known.day;
    const isDividing = message.seq !== undefined && message.seq === firstNew?.seq;
    if (isNewDay) wanted.push(dayLine(known.day));
    if (isDividing) wanted.push(divider);
    if (isNewDay || isDividing || !continues(known, before)) known.row.classList.add("is-first");
    else if (!inSight.has(known.row)) known.row.classList.remove("is-first");
    wanted.push(known.row);
    before = known;
  }
  arrange(list, wanted);
  foldLong();
  forgetGone(shown, waiting);
}

function forgetGone(shown, waiting) {
  const seqs = new Set(shown.map(({ seq }) => seq));
  for (const seq of rows.keys()) if (!seqs.has(seq)) rows.delete(seq);
  const ids = new Set(waiting.map((entry) => entry.client_id));
  for (const id of pending.keys()) if (!ids.has(id)) pending.delete(id);
}

function continues({ shown: message, at }, { shown: before, at: then }) {
  if (message.system || before.system || message.reply_to) return false;
  return senderOf(message) === senderOf(before) && at - then < GROUP_GAP;
}

const senderOf = (message) => (message.seq ? message.sender_id : store.me.id);

function dayLine(day) {
  if (!days.has(day)) {
    const time = element("time", { datetime: day, "data-day": day });
    days.set(day, element("li", { class: "day" }, element("h3", {}, time)));
  }
  find("time", days.get(day)).textContent = dayName(day);
  return days.get(day);
}

function dateOf({ created_at: moment }) {
  const date = new Date(moment);
  return { at: date.getTime(), day: dayOf(date) };
}

function rowFor(message) {
  const known = rows.get(message.seq);
  const reply = replyOf(message.reply_to);
  if (known?.shown === message && known.reply === reply) return known;
  const row = known?.row ?? takeOver(message) ?? clone("message");
  if (known?.shown !== message) fillRow(row, message, { readerId: store.me.id, reply });
  else fillReply(row, message, reply);
  const now = { row, shown: message, reply, ...dateOf(message) };
  rows.set(message.seq, now);
  return now;
}

/** A confirmed message goes on in the row that showed it before. */
function takeOver(message) {
  const known = message.sender_id === store.me.id ? pending.get(message.client_id) : null;
  if (!known) return null;
  pending.delete(message.client_id);
  known.row.classList.remove("is-pending");
  delete known.row.dataset.clientId;
  fillState(known.row, "", false);
  return known.row;
}

function pendingRow(entry) {
  const known = pending.get(entry.client_id) ?? newPending(entry);
  fillState(known.row, outbox.stateOf(entry), Boolean(entry.reason));
  return known;
}

// What is not stored yet

function newPending(entry) {
  const row = clone("message");
  row.classList.add("is-own", "is-pending");
  row.dataset.clientId = entry.client_id;
  row.dataset.kind = "text";
  fillHead(row, { sender: store.me, sender_id: store.me.id, created_at: entry.created_at });
  fillReply(row, entry, replyOf(entry.reply_to));
  fillTyped(row, entry);
  pending.set(entry.client_id, { row, shown: entry, ...dateOf(entry) });
  return pending.get(entry.client_id);
}

/** The text as the server will have it; without its marks for as long as their module is away. */
function fillTyped(row, { content }) {
  slot(row, "html").replaceChildren(...format(content.trim()));
  dressText(row, { content });
}

/** Says under a row how its sending goes, with what one can do where it has failed. */
function fillState(row, said, isFailed) {
  const state = slot(row, "state");
  row.classList.toggle("is-failed", isFailed);
  state.hidden = !said;
  if ((find("span", state)?.textContent ?? "") === said) return;
  const button = (act, name) => element("button", { type: "button", "data-act": act }, name);
  const buttons = isFailed ? [button("resend", "Try again"), button("discard", "Delete")] : [];
  // The clock alone says it to eyes: most are sent within another second.
  const text = element("span", said === "Sending" ? { class: "visually-hidden" } : {}, said);
  state.replaceChildren(...(said ? [icon(isFailed ? "alert" : "clock"), text, ...buttons] : []));
}

/** What is typed next is shown with its marks; so is now what waits from before. */
async function loadFormat() {
  if (format !== plainly) return;
  ({ format } = await import("./format.js").catch(() => ({ format })));
  for (const { row, shown } of pending.values()) fillTyped(row, shown);
}

function plainly(content) {
  return content.split(/\n{2,}/).map((text) => {
    const lines = text.split("\n").flatMap((line) => [element("br"), line]);
    return element("p", { dir: "auto" }, ...lines.slice(1));
  });
}

// Answers

/** The same object as long as it says the same. */
function replyOf(id) {
  if (!id) return undefined;
  const message = store.room.withId(id);
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
  const message = await import("./earlier.js").then(({ lookUp }) => lookUp(store.room, id)).catch(() => null);
  if (!message) return;
  keepReply(message);
  again();
}

/** Somebody has another name. */
function refill(user) {
  for (const known of rows.values()) if (known.shown.sender_id === user.id) known.shown = null;
}

function pressed(event) {
  const id = event.target.closest("[data-client-id]")?.dataset.clientId;
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act === "resend") outbox.retry(id);
  if (act === "discard") outbox.remove(id);
}
