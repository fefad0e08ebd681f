// What the page knows: chats, and the open chat's messages and members. Kept true by versions.

import { pageData } from "./dom.js";
import { emitter, signIn, socket } from "./socket.js";

const PAGE_SIZE = 50;
const SYNC_AGAIN_SECONDS = 2;
const TYPING_SECONDS = 6;
const REFRESH_SECONDS = 0.4;

const { on, emit } = emitter();
const page = pageData("page");
const opened = pageData("chat");

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
  start,
  loadOlder: () => loadPage(`before=${store.firstSeq}&`),
  loadNewer: () => loadPage(`after=${store.lastSeq}&`),
  loadNewest,
  forgetOldest,
  take: takeMessage,
  toggleReaction,
};

// The version of the open chat's own JSON is older than its rows: it stands before the list's.
if (opened) store.chats.set(opened.id, { ...store.chats.get(opened.id), ...opened });

function start() {
  for (const chat of store.chats.values()) learnNames(chat);
  for (const { user } of store.members.values()) store.names.set(user.id, user.display_name);
  for (const message of store.messages.values()) learnSender(message);
  socket.on("hello", ({ user }) => user.id === store.me.id || location.reload());
  socket.on("up", sync);
  socket.on("event", takeEvent);
}

function learnNames({ peer, last_message: message }) {
  if (peer) store.names.set(peer.id, peer.display_name);
  if (message) learnSender(message);
}

function learnSender({ sender }) {
  if (sender) store.names.set(sender.id, sender.display_name);
}

/** GET of the API; sends people who are signed out to the login page. */
export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) signIn();
  if (!answer.ok) throw new Error(`${answer.status} ${path}`);
  return answer.json();
}

// Coming back

let isSyncing = false;
let held = [];

async function sync() {
  if (isSyncing || !socket.isUp) return;
  isSyncing = true;
  const versions = [...store.chats.values()].map((chat) => [chat.id, chat.version]);
  const known = { epoch: store.epoch, chats: Object.fromEntries(versions) };
  try {
    await takeSync(await socket.request("sync", known));
  } catch {
    setTimeout(sync, SYNC_AGAIN_SECONDS * 1000);
  }
  isSyncing = false;
  for (const event of held.splice(0)) takeEvent(event);
}

async function takeSync({ epoch, chats, changes, gone, more }) {
  store.epoch = epoch;
  for (const id of gone) removeChat(id);
  const versions = new Map(changes.map((change) => [change.chat_id, change.version]));
  const rest = more ? [...store.chats.values()] : [];
  const before = new Map(store.chats);
  store.chats.clear();
  for (const chat of [...chats, ...rest]) {
    const version = versions.get(chat.id) ?? before.get(chat.id)?.version ?? chat.version;
    if (!store.chats.has(chat.id)) store.chats.set(chat.id, { ...chat, version });
    learnNames(chat);
  }
  // Created by an event that came before the answer was made.
  for (const [id, chat] of before) if (!store.chats.has(id)) store.chats.set(id, chat);
  const change = changes.find(({ chat_id: id }) => id === store.openId);
  if (change) await takeChange(change);
  emit("chats");
}

async function takeChange({ members, messages, complete }) {
  if (!complete) return loadNewest();
  for (const member of members) takeMember(member);
  for (const message of messages) takeMessage(message);
}

// Events

const takers = {
  "message.created": takeCreated,
  "message.updated": takeUpdated,
  "message.deleted": takeUpdated,
  "chat.created": ({ chat }) => addChat(chat),
  "chat.updated": ({ chat }) => changeChat(chat.id, chat),
  "chat.removed": ({ chat_id: id }) => removeChat(id),
  "member.joined": takeMemberEvent,
  "member.left": takeMemberEvent,
  "member.updated": takeMemberEvent,
  "me.updated": ({ chat_id: id, me }) => takeMe(id, me),
  "user.updated": ({ user }) => takeUser(user),
  presence: takePresence,
  read: ({ chat_id: id, user_id: user, seq }) => emit("seen", id, user, seq),
  typing: ({ chat_id: id, user_id: user }) => takeTyping(id, user),
};

function takeEvent(event) {
  if (isSyncing) held.push(event);
  else if (!event.version) takers[event.type]?.(event);
  else if (isNext(event)) takers[event.type]?.(event);
}

/** Counts a numbered event. One that is not the next is dropped, or shows that some are missing. */
function isNext({ chat_id: id, version }) {
  const chat = store.chats.get(id);
  if (!chat) refresh(id);
  else if (version > chat.version + 1) sync();
  if (chat?.version !== version - 1) return false;
  chat.version = version;
  return true;
}

function takeCreated({ chat_id: id, message }) {
  const chat = store.chats.get(id);
  learnSender(message);
  stopTyping(id, message.sender_id);
  if (message.seq > chat.last_seq) {
    Object.assign(chat, { last_seq: message.seq, last_message: message });
    countUnread(chat.me, message);
    moveToTop(chat);
  }
  takeMessage(message);
  emit("chat", chat);
}

function isUnread(message, mark) {
  const isOthers = message.sender_id && message.sender_id !== store.me.id;
  return isOthers && !message.deleted_at && message.seq > mark;
}

function countUnread(me, message) {
  if (!isUnread(message, me.last_read_seq)) return;
  me.unread_count += 1;
  if (message.mentions.includes(store.me.id)) me.mention_count += 1;
}

function takeUpdated({ chat_id: id, message }) {
  const chat = store.chats.get(id);
  chat.last_seq = Math.max(chat.last_seq, message.seq);
  if (chat.last_message?.id === message.id && !message.deleted_at) chat.last_message = message;
  takeMessage(message);
  const isLast = message.seq >= (chat.last_message?.seq ?? 0);
  if (isLast || message.seq > chat.me.last_read_seq) refresh(id);
  emit("chat", chat);
}

function moveToTop(chat) {
  const rest = [...store.chats.values()].filter(({ id }) => id !== chat.id);
  store.chats.clear();
  for (const one of [chat, ...rest]) store.chats.set(one.id, one);
}

const refreshing = new Set();

/** Reads a chat again whose counts or last message cannot be told from an event. */
function refresh(id) {
  if (refreshing.has(id)) return;
  refreshing.add(id);
  setTimeout(async () => {
    refreshing.delete(id);
    const fresh = await get(`/chats/${id}`).catch(() => null);
    if (!fresh) return;
    const chat = store.chats.get(id);
    // Else its counts hold what an event that is under way would count again.
    if (!chat || chat.version === fresh.version) addChat(fresh);
    else refresh(id);
  }, REFRESH_SECONDS * 1000);
}

function addChat(chat) {
  const isNew = !store.chats.has(chat.id);
  store.chats.set(chat.id, chat);
  learnNames(chat);
  if (isNew) moveToTop(chat);
  emit("chats");
}

function changeChat(id, facts) {
  Object.assign(store.chats.get(id), facts);
  emit("chat", store.chats.get(id));
}

function removeChat(id) {
  if (!store.chats.delete(id)) return;
  if (id === store.openId) emit("closed");
  else emit("chats");
}

function takeMe(id, me) {
  const chat = store.chats.get(id);
  if (!chat) return;
  const wasPinned = chat.me.pinned;
  chat.me = me;
  recount();
  emit(wasPinned === me.pinned ? "chat" : "chats", chat);
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

function takeMemberEvent({ chat_id: id, member }) {
  const chat = store.chats.get(id);
  const was = store.members.has(member.user.id);
  store.names.set(member.user.id, member.user.display_name);
  if (member.user.id === store.me.id) chat.me.role = member.role;
  if (id === store.openId) takeMember(member);
  if (id === store.openId && was === Boolean(member.left_at)) chat.member_count += was ? -1 : 1;
  emit("chat", chat);
}

function takeMember(member) {
  if (member.left_at) store.members.delete(member.user.id);
  else store.members.set(member.user.id, member);
  store.names.set(member.user.id, member.user.display_name);
  emit("members");
}

function takeUser(user) {
  store.names.set(user.id, user.display_name);
  const member = store.members.get(user.id);
  if (member) member.user = user;
  for (const chat of store.chats.values()) if (chat.peer?.id === user.id) chat.peer = user;
  for (const message of store.messages.values()) if (message.sender_id === user.id) message.sender = user;
  emit("user", user);
  emit("members");
  emit("chats");
}

function takePresence({ user_id: id, ...facts }) {
  for (const chat of store.chats.values()) if (chat.peer?.id === id) Object.assign(chat.peer, facts);
  const member = store.members.get(id);
  if (member) Object.assign(member.user, facts);
  emit("presence", id, facts.is_online);
}

function takeTyping(id, userId) {
  const typing = store.typing.get(id) ?? new Map();
  clearTimeout(typing.get(userId));
  typing.set(userId, setTimeout(() => stopTyping(id, userId), TYPING_SECONDS * 1000));
  store.typing.set(id, typing);
  emit("typing", id);
}

function stopTyping(id, userId) {
  const typing = store.typing.get(id);
  clearTimeout(typing?.get(userId));
  if (typing?.delete(userId)) emit("typing", id);
}

// The open chat's messages

/** Keeps a message that belongs into what is shown; a higher version replaces a lower. */
function takeMessage(message) {
  if (message.chat_id !== store.openId) return;
  const known = store.messages.get(message.seq);
  if (known && known.version >= message.version) return;
  learnSender(message);
  const isAbove = store.hasBefore && message.seq < store.firstSeq;
  const isBelow = store.hasAfter && message.seq > store.lastSeq;
  const isArrival = !known && message.seq > store.lastSeq;
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

/** Drops what is held and starts again from the newest page. */
async function loadNewest() {
  const got = await get(`/chats/${store.openId}/messages?limit=${PAGE_SIZE}`);
  store.messages.clear();
  keepPage(got.results);
  store.hasBefore = got.has_before;
  store.hasAfter = store.lastSeq < store.chat.last_seq && got.has_after;
  emit("messages");
}

function forgetOldest(count) {
  for (const { seq } of store.sorted().slice(0, count)) store.messages.delete(seq);
  store.hasBefore = true;
}

const busyReactions = new Set();

/** Shown at once, taken back where the server refuses. */
async function toggleReaction(message, emoji) {
  const key = `${message.id} ${emoji}`;
  if (busyReactions.has(key)) return;
  busyReactions.add(key);
  const isMine = message.reactions.some((one) => one.emoji === emoji && one.user_ids.includes(store.me.id));
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
