// What the page knows: chats, and the open chat's messages and members.

import { pageData } from "./dom.js";
import { emitter, signIn, socket } from "./socket.js";

const PAGE_SIZE = 50;

const { on, emit } = emitter();
export { emit };
const page = pageData("page");
const opened = pageData("chat");
const openedAt = Math.max(opened?.last_seq ?? 0, page?.results.at(-1)?.seq ?? 0);
const arrived = new Set();

/** Tells of `chats`, `chat`, `messages`, `arrived`, `members`, `presence`, `typing`, `closed`. */
export const store = {
  on,
  me: pageData("me"),
  epoch: pageData("epoch"),
  openId: opened?.id ?? null,
  /** By id, the latest activity first. */
  chats: new Map((pageData("chats") ?? []).map((chat) => [chat.id, chat])),
  members: new Map((pageData("members") ?? []).map((member) => [member.user.id, member])),
  messages: new Map((page?.results ?? []).map((message) => [message.seq, message])),
  hasBefore: page?.has_before ?? false,
  hasAfter: page?.has_after ?? false,
  /** By chat id, who is typing: user id to the timer that ends it. */
  typing: new Map(),
  names: new Map(),
  get chat() {
    return store.chats.get(store.openId);
  },
  get canManage() {
    return store.chat.type === "group" && store.chat.me.role !== "member";
  },
  get firstSeq() {
    return Math.min(...store.messages.keys());
  },
  get lastSeq() {
    return Math.max(0, ...store.messages.keys());
  },
  sorted: () => [...store.messages.values()].sort((one, other) => one.seq - other.seq),
  withId: (id) => [...store.messages.values()].find((message) => message.id === id),
  loadOlder: () => loadPage(`before=${store.firstSeq}&`),
  loadNewer: () => loadPage(`after=${store.lastSeq}&`),
  loadNewest,
  lookUp,
  forgetOldest,
  take: takeMessage,
  takeMe,
  takePresence,
  toggleReaction,
};

// The version of the open chat's own JSON is older than its rows: it stands before the list's.
if (opened) store.chats.set(opened.id, { ...store.chats.get(opened.id), ...opened });

for (const chat of store.chats.values()) learnNames(chat);
for (const { user } of store.members.values()) store.names.set(user.id, user.display_name);
for (const message of store.messages.values()) learnSender(message);

export function learnNames({ peer, last_message: message }) {
  if (peer) store.names.set(peer.id, peer.display_name);
  if (message) learnSender(message);
}

export function learnSender({ sender }) {
  if (sender) store.names.set(sender.id, sender.display_name);
}

/** GET of the API; sends people who are signed out to the login page. */
export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) signIn();
  if (!answer.ok) throw new Error(`${answer.status} ${path}`);
  return answer.json();
}

// Marks and people

function takeMe(id, me) {
  const chat = store.chats.get(id);
  if (!chat) return;
  const wasPinned = chat.me.pinned;
  chat.me = me;
  recount();
  emit(wasPinned === me.pinned ? "chat" : "chats", chat);
}

function takePresence(id, { is_online, last_seen }) {
  const facts = { is_online, last_seen };
  for (const chat of store.chats.values()) if (chat.peer?.id === id) Object.assign(chat.peer, facts);
  const member = store.members.get(id);
  if (member) Object.assign(member.user, facts);
  emit("presence", id, is_online);
}

// The open chat's messages

export function isUnread(message, mark) {
  const isOthers = message.sender_id && message.sender_id !== store.me.id;
  return isOthers && !message.deleted_at && message.seq > mark;
}

/** Exact where all the unread are here: a mark and a message may cross on their way. */
function recount() {
  const { chat } = store;
  if (!chat || store.hasAfter) return;
  const mark = chat.me.last_read_seq;
  if (store.hasBefore && store.firstSeq > mark + 1) return;
  const unread = store.sorted().filter((message) => isUnread(message, mark));
  chat.me.unread_count = unread.length;
  chat.me.mention_count = unread.filter(({ mentions }) => mentions.includes(store.me.id)).length;
}

/** Keeps a message that belongs into what is shown; a higher version replaces a lower. */
function takeMessage(message) {
  if (message.chat_id !== store.openId) return;
  const known = store.messages.get(message.seq);
  if (known && known.version >= message.version) return;
  learnSender(message);
  const isAbove = store.hasBefore && message.seq < store.firstSeq;
  const isBelow = store.hasAfter && message.seq > store.lastSeq;
  const isArrival = !known && !isAbove && message.seq > openedAt && !arrived.has(message.seq);
  arrived.add(message.seq);
  if (!isAbove && !isBelow) store.messages.set(message.seq, message);
  recount();
  emit("messages");
  if (isArrival) emit("arrived", message);
}

function keepPage(results) {
  for (const message of results) {
    const known = store.messages.get(message.seq);
    if (!known || known.version < message.version) store.messages.set(message.seq, message);
    learnSender(message);
  }
}

let isLoading = false;

/** Loads a page that joins what is held. False where it failed or another is under way. */
async function loadPage(query) {
  if (isLoading) return false;
  isLoading = true;
  const isOlder = query.startsWith("before");
  try {
    const got = await get(`/chats/${store.openId}/messages?${query}limit=${PAGE_SIZE}`);
    keepPage(got.results);
    if (isOlder) store.hasBefore = got.has_before;
    // What was said while the page was under way was not kept.
    else store.hasAfter = got.has_after || store.lastSeq < store.chat.last_seq;
    emit("messages");
    return true;
  } catch {
    return false;
  } finally {
    isLoading = false;
  }
}

/** Starts again from the newest page. `isFresh`: nothing that was held counts any more. */
async function loadNewest({ isFresh = false } = {}) {
  const got = await get(`/chats/${store.openId}/messages?limit=${PAGE_SIZE}`);
  const newest = got.results.at(-1)?.seq ?? 0;
  const later = store.hasAfter ? [] : store.sorted().filter(({ seq }) => seq > newest);
  store.messages.clear();
  keepPage([...got.results, ...(isFresh ? [] : later)]);
  store.hasBefore = got.has_before;
  store.hasAfter = store.lastSeq < store.chat.last_seq;
  emit("messages");
}

function forgetOldest(count) {
  for (const { seq } of store.sorted().slice(0, count)) store.messages.delete(seq);
  store.hasBefore = true;
}

/** Finds a message that is not held, by halves: ids rise with seq. Null where there is none. */
async function lookUp(id) {
  let [low, high] = [1, store.chat.last_seq];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const { results } = await get(`/chats/${store.openId}/messages?around=${middle}&limit=${PAGE_SIZE}`);
    const found = results.find((message) => message.id === id);
    if (found || !results.length) return found ?? null;
    if (id < results[0].id) high = results[0].seq - 1;
    else if (id > results.at(-1).id) low = results.at(-1).seq + 1;
    else return null;
  }
  return null;
}

const busyReactions = new Set();

/** Shown at once, taken back where the server refuses. */
async function toggleReaction(message, emoji) {
  const key = `${message.id} ${emoji}`;
  if (busyReactions.has(key)) return;
  busyReactions.add(key);
  const mine = message.reactions.filter((one) => one.user_ids.includes(store.me.id));
  const isMine = mine.some((one) => one.emoji === emoji);
  const guess = { ...message, reactions: toggled(message.reactions, emoji, isMine) };
  store.messages.set(message.seq, guess);
  emit("messages");
  const fields = { chat_id: message.chat_id, message_id: message.id, emoji };
  try {
    takeMessage((await socket.request(isMine ? "reaction.remove" : "reaction.add", fields)).message);
  } finally {
    busyReactions.delete(key);
    if (store.messages.get(message.seq) === guess) store.messages.set(message.seq, message);
    emit("messages");
  }
}

function toggled(reactions, emoji, isMine) {
  const { id } = store.me;
  const found = reactions.some((one) => one.emoji === emoji);
  const all = found ? reactions : [...reactions, { emoji, user_ids: [] }];
  const ids = (one) => (isMine ? one.user_ids.filter((user) => user !== id) : [...one.user_ids, id]);
  const changed = all.map((one) => (one.emoji === emoji ? { ...one, user_ids: ids(one) } : one));
  return changed.filter((one) => one.user_ids.length);
}
