// What one has seen: the read mark, the title's count, and what a screen reader is told.

import { find, listOf, preview, titleOf } from "./dom.js";
import { socket } from "./socket.js";
import { store } from "./store.js";
import { isWatched, timeline } from "./timeline.js";

const MARK_SECONDS = 0.5;
const SPEAK_SECONDS = 2;
const MOST_SPOKEN = 3;

const baseTitle = document.title;
let told = 0;
let timer = 0;
let unspoken = [];
let speakTimer = 0;

export const reading = { start };

function start() {
  showTitle();
  store.on("chats", showTitle);
  store.on("chat", showTitle);
  if (!store.openId) return;
  told = store.chat.me.last_read_seq;
  store.on("chat", ({ id, me }) => id === store.openId && (told = me.last_read_seq));
  store.on("arrived", hear);
  store.on("messages", look);
  socket.on("up", look);
  timeline.region.addEventListener("scroll", look, { passive: true });
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  look();
}

// The mark

function look() {
  if (!timer) timer = setTimeout(tell, MARK_SECONDS * 1000);
}

function tell() {
  timer = 0;
  if (!isWatched() || !socket.isUp) return;
  const seq = newestSeen();
  if (seq <= told) return;
  told = seq;
  socket.request("read", { chat_id: store.openId, seq }).then(
    ({ me }) => store.takeMe(store.openId, me),
    () => {
      told = store.chat.me.last_read_seq;
    },
  );
}

/** The newest message whose end is in sight. */
function newestSeen() {
  const { top, bottom } = timeline.region.getBoundingClientRect();
  const seen = store.sorted().findLast(({ seq }) => {
    const end = timeline.rowOf(seq)?.getBoundingClientRect().bottom;
    return end > top && end <= bottom + 1;
  });
  return seen?.seq ?? 0;
}

// The title

function showTitle() {
  const unread = [...store.chats.values()].filter(isCounted).length;
  const title = store.chat ? baseTitle.replace(/^.*(?= · )/s, () => titleOf(store.chat)) : baseTitle;
  document.title = unread ? `(${Math.min(unread, 99)}) ${title}` : title;
}

/** Muted ones count only where one is mentioned. */
function isCounted({ me }) {
  const isMuted = me.notify !== "all" || (me.muted_until && new Date(me.muted_until) > new Date());
  return me.mention_count > 0 ? me.notify !== "none" : me.unread_count > 0 && !isMuted;
}

// Speaking

function hear(message) {
  if (!isWatched() || !message.sender || message.sender_id === store.me.id) return;
  unspoken.push(message);
  if (unspoken.length < MOST_SPOKEN) speak(sentence(message));
  clearTimeout(speakTimer);
  speakTimer = setTimeout(speakRest, SPEAK_SECONDS * 1000);
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
