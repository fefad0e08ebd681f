// How what the page knows is kept true: events by rising version, and a sync after each absence.

import { get, socket } from "./socket.js";
import { emit, isUnread, learnNames, learnSender, store } from "./store.js";

const SYNC_AGAIN_SECONDS = 2;
const TYPING_SECONDS = 6;
const REFRESH_SECONDS = 0.4;

export function follow() {
  socket.on("stranger", () => location.reload());
  socket.on("up", () => store.rooms.forEach((room) => (room.knowsMarks = false)));
  socket.on("up", sync);
  socket.on("event", takeEvent);
}

/** The page itself was kept, some time ago: what was kept of chats since then is newer. */
export function takeKept(rooms) {
  for (const { id, chat } of rooms) {
    if (store.chats.get(id)?.version >= chat.version) continue;
    store.chats.set(id, chat);
    store.rooms.delete(id);
    if (id === store.openId) store.room = null;
  }
  const at = (chat) => Date.parse(chat.last_message?.created_at ?? chat.created_at);
  const all = [...store.chats.values()].sort((one, other) => at(other) - at(one));
  store.chats.clear();
  for (const chat of all) store.chats.set(chat.id, chat);
  emit("chats");
}

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

async function takeSync({ epoch, chats, changes, gone }) {
  if (store.epoch && epoch !== store.epoch) return location.reload();
  store.epoch = epoch;
  for (const id of gone) removeChat(id);
  const versions = new Map(changes.map((change) => [change.chat_id, change.version]));
  const known = new Map(store.chats);
  store.chats.clear();
  for (const chat of chats) {
    const version = versions.get(chat.id) ?? known.get(chat.id)?.version ?? chat.version;
    store.chats.set(chat.id, { ...chat, version });
    learnNames(chat);
  }
  keepOlder(known, versions);
  for (const change of changes) await takeChange(change, known.get(change.chat_id)?.last_seq ?? 0);
  emit("chats");
  emit("messages");
}

/** The answer names the latest 200 chats; what is known of the others stays. */
function keepOlder(known, versions) {
  for (const [id, chat] of known) {
    if (store.chats.has(id)) continue;
    store.chats.set(id, { ...chat, version: versions.get(id) ?? chat.version });
    if (versions.has(id)) refresh(id);
  }
}

async function takeChange({ chat_id: id, members, messages, complete }, lastSeq) {
  const room = store.rooms.get(id);
  if (!room) return;
  if (!complete && room !== store.room) return store.rooms.delete(id);
  if (!complete) return emit("torn", room);
  for (const member of members) room.takeMember(member);
  for (const message of messages) {
    store.take(message);
    if (room === store.room && message.seq > lastSeq) emit("arrived", message);
  }
  if (members.length && room === store.room) emit("members");
}

// Events

const takers = {
  hello: ({ user }) => emit("own", Object.assign(store.me, user)),
  "message.created": takeCreated,
  "message.updated": takeUpdated,
  "message.deleted": takeUpdated,
  "chat.created": ({ chat }) => addChat(chat),
  "chat.updated": ({ chat }) => changeChat(chat.id, chat),
  "chat.removed": ({ chat_id: id }) => removeChat(id),
  "member.joined": takeMemberEvent,
  "member.left": takeMemberEvent,
  "member.updated": takeMemberEvent,
  "me.updated": ({ chat_id: id, me }) => store.takeMe(id, me),
  "user.updated": ({ user }) => takeUser(user),
  // It may have been somebody who came: what is counted by steps is one off without it.
  superseded: ({ chat_id: id }) => refresh(id),
  presence: ({ user_id: id, ...facts }) => store.takePresence(id, facts),
  read: takeRead,
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
  const isArrival = message.seq > chat.last_seq;
  if (isArrival) {
    Object.assign(chat, { last_seq: message.seq, last_message: message });
    countUnread(chat.me, message);
    moveToTop(chat);
  }
  store.take(message);
  if (isArrival && id === store.openId) emit("arrived", message);
  emit("chat", chat);
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
  store.take(message);
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
/** Those that one is not in any more: there is nothing to be read of them. */
const left = new Set();

/** Reads a chat again whose counts or last message cannot be told from an event. */
function refresh(id) {
  if (refreshing.has(id)) return;
  refreshing.add(id);
  setTimeout(async () => {
    refreshing.delete(id);
    if (left.has(id)) return;
    const fresh = await get(`/chats/${id}`).catch(() => null);
    if (!fresh) return;
    const chat = store.chats.get(id);
    // Else its counts hold what an event that is under way would count again.
    if (!chat || chat.version === fresh.version) addChat(fresh);
    else refresh(id);
  }, REFRESH_SECONDS * 1000);
}

function addChat(chat) {
  left.delete(chat.id);
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
  left.add(id);
  const chat = store.chats.get(id);
  if (!chat) return;
  if (id === store.openId) emit("removed", chat);
  store.rooms.delete(id);
  store.chats.delete(id);
  emit("gone", id);
  emit("chats");
}

function takeMemberEvent({ type, chat_id: id, member }) {
  const chat = store.chats.get(id);
  store.names.set(member.user.id, member.user.display_name);
  if (member.user.id === store.me.id) chat.me.role = member.role;
  chat.member_count += { "member.joined": 1, "member.left": -1 }[type] ?? 0;
  store.rooms.get(id)?.takeMember(member);
  if (id === store.openId) emit("members");
  emit("chat", chat);
}

function takeRead({ chat_id: id, user_id: userId, seq }) {
  const member = store.rooms.get(id)?.members.get(userId);
  if (!member || member.last_read_seq === null) return;
  member.last_read_seq = Math.max(member.last_read_seq, seq);
  if (id === store.openId) emit("seen");
}

function takeUser(user) {
  if (user.id === store.me.id) Object.assign(store.me, user);
  store.names.set(user.id, user.display_name);
  for (const chat of store.chats.values()) if (chat.peer?.id === user.id) chat.peer = user;
  for (const { members, messages } of store.rooms.values()) {
    if (members.has(user.id)) members.get(user.id).user = user;
    for (const message of messages.values()) if (message.sender_id === user.id) message.sender = user;
  }
  emit("user", user);
  emit("members");
  emit("chats");
}

function takeTyping(id, userId) {
  const typing = store.typing.get(id) ?? new Map();
  clearTimeout(typing.get(userId));
  typing.set(userId, setTimeout(() => stopTyping(id, userId), TYPING_SECONDS * 1000));
  store.typing.set(id, typing);
  if (store.names.has(userId)) emit("typing", id);
  else learnName(userId).then(() => emit("typing", id));
}

async function learnName(userId) {
  const user = await get(`/users/${userId}`).catch(() => null);
  store.names.set(userId, user?.display_name ?? "Somebody");
}

function stopTyping(id, userId) {
  const typing = store.typing.get(id);
  clearTimeout(typing?.get(userId));
  if (typing?.delete(userId)) emit("typing", id);
}
