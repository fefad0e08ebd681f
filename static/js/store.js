// What the page knows: its reader, the chats, the people, and the messages of chats that were opened.

import { pageData } from "./dom.js";
import { emitter, get, socket } from "./socket.js";

const MOST_ROOMS = 12;
const PAGE_SIZE = 50;

/** A chat that was opened: its members, and one unbroken stretch of its messages. */
class Room {
  /** By seq. Those above `last` came before their predecessors did, and wait for them. */
  messages = new Map();
  members = new Map();
  first = 1;
  last = 0;
  isFilled = false;
  /** Of what is held, where it is older than the chat; a number to ask for the changes since. */
  staleSince = null;
  /** What the reader has seen, up to where that was told, and whether that is to stay so. */
  seen = new Set();
  toldSeq = 0;
  isLeftUnread = false;
  /** Whether no mark of a member can have moved unheard: no sync brings those that did. */
  knowsMarks = false;
  #seqs = new Map();
  #loads = 0;
  #early = new Map();
  #membersHeard = 0;

  constructor(id) {
    this.id = id;
  }

  get hasBefore() {
    return this.isFilled && this.first > 1;
  }

  get hasAfter() {
    return this.last < (store.chats.get(this.id)?.last_seq ?? 0);
  }

  withId(id) {
    return this.messages.get(this.#seqs.get(id));
  }

  /** The messages from a seq up to another, then those that wait for their predecessors. */
  from(seq, to = Infinity) {
    const found = [];
    for (let at = Math.max(seq, this.first); at <= Math.min(to, this.last); at++) found.push(this.messages.get(at));
    if (to < this.last) return found;
    const waiting = [...this.messages.values()].filter((message) => message.seq > this.last);
    return [...found, ...waiting.sort((one, other) => one.seq - other.seq)];
  }

  /** True where it was not known so. What joins neither end of the stretch is not kept. */
  take(message) {
    const known = this.messages.get(message.seq);
    if (known && known.version >= message.version) return false;
    const chat = store.chats.get(this.id);
    const isNext = message.seq > this.last && this.last >= chat.last_seq - 1;
    if (known || isNext || message.seq === this.last + 1) this.#put(message);
    else if (this.#loads) this.#early.set(message.seq, message);
    return true;
  }

  #put(message) {
    this.#keep(message);
    while (this.messages.has(this.last + 1)) this.last += 1;
  }

  #keep(message) {
    this.messages.set(message.seq, message);
    this.#seqs.set(message.id, message.seq);
  }

  takeMember(member) {
    const { user, left_at: leftAt, last_read_seq: mark } = member;
    const known = this.members.get(user.id);
    // A mark that was heard of may be newer than one that was read.
    if (known && mark !== null) member.last_read_seq = Math.max(mark, known.last_read_seq);
    if (leftAt) this.members.delete(user.id);
    else this.members.set(user.id, member);
    store.names.set(user.id, user.display_name);
    this.#membersHeard += 1;
  }

  /** Joins a page to the stretch, or starts anew with it where there is a gap between. */
  keepPage(results) {
    const [low, high] = [results[0]?.seq ?? 1, results.at(-1)?.seq ?? 0];
    if (low > this.last + 1 || high < this.first - 1 || !this.isFilled) this.#clear(low);
    for (const message of results) {
      const known = this.messages.get(message.seq);
      if (!known || known.version < message.version) this.#keep(message);
      if (message.sender) store.names.set(message.sender.id, message.sender.display_name);
    }
    this.first = Math.min(this.first, low);
    this.last = Math.max(this.last, high);
    while (this.messages.has(this.last + 1)) this.last += 1;
    this.isFilled = true;
    const waiting = [...this.messages.keys()].filter((seq) => seq > this.last);
    const isPast = this.last + waiting.length < store.chats.get(this.id).last_seq;
    if (isPast) for (const seq of waiting) this.messages.delete(seq);
  }

  /** What came live while the first page was under way stays, where it follows that page. */
  #clear(low) {
    for (const seq of this.messages.keys()) if (this.isFilled || seq < low) this.messages.delete(seq);
    this.first = low;
    this.last = low - 1;
  }

  loadOlder() {
    return this.load(`before=${this.first}&`);
  }

  loadNewer() {
    return this.load(`after=${this.last}&`);
  }

  /** Around a seq, or the newest page where there is none. */
  loadAround(seq) {
    return this.load(seq ? `around=${seq}&` : "");
  }

  load(query) {
    return this.#reading(async () => {
      const { results } = await get(`/chats/${this.id}/messages?${query}limit=${PAGE_SIZE}`);
      this.keepPage(results);
    });
  }

  /** What comes live while rows are read, and fits nowhere yet, is not lost. */
  async #reading(read) {
    this.#loads += 1;
    try {
      await read();
    } finally {
      this.#loads -= 1;
      const early = [...this.#early.values()].sort((one, other) => one.seq - other.seq);
      if (!this.#loads) this.#early.clear();
      for (const message of early) this.take(message);
    }
  }

  /** All of them, or the first of many, again if one comes or goes meanwhile. */
  async loadMembers() {
    this.knowsMarks = socket.isUp;
    let results, heard;
    do {
      heard = this.#membersHeard;
      ({ results } = await get(`/chats/${this.id}/members?limit=200`));
    } while (heard !== this.#membersHeard);
    const present = new Set(results.map(({ user }) => user.id));
    for (const id of this.members.keys()) if (!present.has(id)) this.members.delete(id);
    for (const member of results) this.takeMember(member);
  }

  /** Of a large group only the first are held until somebody looks for another. */
  get hasAllMembers() {
    return this.members.size >= (store.chats.get(this.id)?.member_count ?? 0);
  }

  /** Brings what was kept up to date; starts anew where too much has changed. */
  catchUp() {
    return this.#reading(async () => {
      const found = await get(`/chats/${this.id}/changes?since=${this.staleSince}`);
      this.staleSince = null;
      if (!found.complete) return this.renew();
      for (const member of found.members) this.takeMember(member);
      for (const message of found.messages) this.take(message);
    });
  }

  /** Drops what is held for what the server has now, near the same place. */
  async renew(seq = 0) {
    this.#clear(1);
    this.isFilled = false;
    await Promise.all([this.loadAround(seq), this.loadMembers()]);
  }
}

const { on, emit } = emitter();
export { emit };
const opened = pageData("chat");
const nobody = new Map();

/**
 * Tells of `open` (another chat, or none), `chats`, `chat`, `messages`, `arrived`, `members`,
 * `presence`, `typing`, `user`, `own` (of the reader), `seen` and `removed`.
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

/** Until a time, or because one wants to hear of less than all. */
export const isMuted = ({ me }) => new Date(me.muted_until ?? 0) > new Date();

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
