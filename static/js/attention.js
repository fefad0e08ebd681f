// What the reader has seen, and what a screen reader is told.

import { find, findAll, listOf, preview } from "./dom.js";
import { socket } from "./socket.js";
import { store } from "./store.js";
import { timeline } from "./timeline.js";

const MARK_SECONDS = 0.5;
const ACTIVE_SECONDS = 60;
const ACTIVITIES = ["pointerdown", "pointermove", "keydown", "touchstart", "wheel", "focus"];
const SPEAK_SECONDS = 2;
const MOST_SPOKEN = 3;

const { list, region } = timeline;
let activeAt = Date.now();
let lookTimer = 0;
let unspoken = [];
let speakTimer = 0;

export const attention = { start, look, tellSeen };

export const isWatched = () => !document.hidden && document.hasFocus();

function start() {
  for (const type of ACTIVITIES) addEventListener(type, becomeActive, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? tellSeen() : look()));
  addEventListener("pagehide", tellSeen);
  socket.on("up", look);
  store.on("arrived", hear);
}

// What was seen

function becomeActive() {
  const wasIdle = !isActive();
  activeAt = Date.now();
  if (wasIdle) look();
}

const isActive = () => isWatched() && Date.now() - activeAt < ACTIVE_SECONDS * 1000;

function look() {
  if (!lookTimer) lookTimer = setTimeout(tellSeen, MARK_SECONDS * 1000);
}

/** Moves the read mark to the newest message in sight, where no unseen one was skipped. */
function tellSeen() {
  clearTimeout(lookTimer);
  lookTimer = 0;
  const { chat, room } = store;
  if (!room?.isFilled || room.isLeftUnread || !socket.isUp || !isActive()) return;
  const seq = newestSeen();
  const known = Math.max(chat.me.last_read_seq, room.toldSeq);
  if (seq <= known || room.first > known + 1) return;
  room.toldSeq = seq;
  socket.request("read", { chat_id: room.id, seq }).then(
    ({ me }) => store.takeMe(room.id, me),
    () => (room.toldSeq = 0),
  );
}

/** The newest message whose end is in sight. */
function newestSeen() {
  const { top, bottom } = region.getBoundingClientRect();
  const seen = findAll(".message[data-seq]", list).findLast((row) => row.getBoundingClientRect().bottom <= bottom + 1);
  return seen && seen.getBoundingClientRect().bottom > top ? Number(seen.dataset.seq) : 0;
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
