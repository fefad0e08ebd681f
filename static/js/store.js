// What the page knows: its reader, the chats, the people, and which chat is open.

import { pageData } from "./dom.js";
import { Room } from "./room.js";
import { emitter } from "./socket.js";

const MOST_ROOMS = 12;

const { on, emit } = emitter();
export { emit };
const opened = pageData("chat");
const nobody = new Map();

/**
 * Tells of `open` (another chat, or none), `chats`, `chat`, `messages`, `arrived`, `members`,
 * `presence`, `typing`, `user`, `seen` and `removed`.
 */
export const store = {
  on,
  me: pageData("me"),
  epoch: pageData("epoch"),
  /** By id, the latest activity first. */
  chats: new Map(pageData("chats").map((chat) => [chat.id, chat])),
  /** Of the chats that were opened, the latest last. */
  rooms: new Map(),
  /** The open one, or null. */
  room: null,
  /** By chat id, who is typing: user id to the timer that ends it. */
  typing: new Map(),
  names: new Map(),
  get openId() {
    return store.room?.id ?? null;
  },
  get chat() {
    return store.chats.get(store.openId);
  },
  get members() {
    return store.room?.members ?? nobody;
  },
  get canManage() {
    return store.chat?.type === "group" && store.chat.me.role !== "member";
  },
  open,
  forget,
  take,
  takeMe,
  takePresence,
};

if (opened) {
  // The version of the open chat's own JSON is older than its rows: it stands before the list's.
  store.chats.set(opened.id, { ...store.chats.get(opened.id), ...opened });
  const room = new Room(opened.id);
  room.keepPage(pageData("page").results);
  for (const member of pageData("members")) room.takeMember(member);
  room.isFilled = true;
  store.rooms.set(opened.id, room);
  store.room = room;
}

for (const chat of store.chats.values()) learnNames(chat);
for (const { user } of store.members.values()) store.names.set(user.id, user.display_name);
for (const message of store.room?.messages.values() ?? []) learnSender(message);

export function learnNames({ peer, last_message: message }) {
  if (peer) store.names.set(peer.id, peer.display_name);
  if (message) learnSender(message);
}

export function learnSender({ sender }) {
  if (sender) store.names.set(sender.id, sender.display_name);
}

// Rooms

/** Makes a chat the open one; null for none. Its room may have to be filled still. */
function open(id) {
  if (id === store.openId) return;
  store.room = id && (store.rooms.get(id) ?? new Room(id));
  if (store.room) {
    store.rooms.delete(id);
    store.rooms.set(id, store.room);
    for (const old of [...store.rooms.keys()].slice(0, -MOST_ROOMS)) store.rooms.delete(old);
  }
  emit("open");
}

function forget(id) {
  store.rooms.delete(id);
  if (id === store.openId) store.room = null;
}

/** A message as it is now, of whatever chat. True where the page did not have it so. */
function take(message) {
  learnSender(message);
  const room = store.rooms.get(message.chat_id);
  const isNew = room?.take(message) ?? false;
  if (isNew && room === store.room) {
    recount();
    emit("messages");
  }
  return isNew;
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
  for (const room of store.rooms.values()) if (room.members.has(id)) Object.assign(room.members.get(id).user, facts);
  emit("presence", id, is_online);
}

export function isUnread(message, mark) {
  const isOthers = message.sender_id && message.sender_id !== store.me.id;
  return isOthers && !message.deleted_at && message.seq > mark;
}

/** Exact where all the unread are here: a mark and a message may cross on their way. */
function recount() {
  const { chat, room } = store;
  if (!chat || !room.isFilled || room.hasAfter) return;
  const mark = chat.me.last_read_seq;
  if (room.first > mark + 1) return;
  const unread = room.from(mark + 1).filter((message) => isUnread(message, mark));
  chat.me.unread_count = unread.length;
  chat.me.mention_count = unread.filter(({ mentions }) => mentions.includes(store.me.id)).length;
}
