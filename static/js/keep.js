// What this browser keeps in IndexedDB: drafts, what waits to be sent, in order, and the last chats.

import { emitter, socket } from "./socket.js";
import { store } from "./store.js";

const SENDING_AFTER = 1;
const WAITING_AFTER = 5;
const WAITS = [1, 2, 4, 8, 16, 30];
const NAME = "chat";
const KEPT_MESSAGES = 100;
const KEPT_ROOMS = 50;

const { on, emit } = emitter();
const drafts = new Map();
const draining = new Map();
/** What storage does not hold yet, or may hold still: it is asked while these are under way. */
const unkept = new Set();
const removed = new Set();
let entries = [];
let lastOrder = 0;

export const outbox = {
  /** `change` whenever an entry comes, goes or fails; `drafts` likewise. */
  on,
  of: (chatId) => entries.filter((entry) => entry.chat_id === chatId),
  draftOf: (chatId) => drafts.get(chatId),
  hasFailed: (chatId) => entries.some((entry) => entry.chat_id === chatId && entry.reason),
  start() {
    store.on("messages", dropStored);
    socket.on("up", drainAll);
    others?.addEventListener("message", load);
    return load();
  },
  /** What to say of an entry; nothing for as long as it may be on its way. */
  stateOf({ reason, created_at: createdAt }) {
    const seconds = (Date.now() - new Date(createdAt)) / 1000;
    if (reason) return `Not sent. ${reason}`;
    if (seconds > WAITING_AFTER || !socket.isUp) return "Waiting to send";
    return seconds > SENDING_AFTER ? "Sending" : "";
  },
  add(chatId, content, replyTo) {
    const created_at = new Date().toISOString();
    lastOrder = Math.max(lastOrder + 1, Date.now());
    const entry = { chat_id: chatId, client_id: newId(), content, reply_to: replyTo, created_at, order: lastOrder };
    entries.push(entry);
    drafts.delete(chatId);
    unkept.add(entry.client_id);
    keep.send(entry).then(() => {
      unkept.delete(entry.client_id);
      drain(chatId);
    });
    emit("change");
    emit("drafts");
  },
  retry(clientId) {
    const entry = entries.find((one) => one.client_id === clientId);
    delete entry.reason;
    keep.entry(entry);
    emit("change");
    drain(entry.chat_id);
  },
  remove(clientId) {
    entries = entries.filter((entry) => entry.client_id !== clientId);
    removed.add(clientId);
    keep.dropEntry(clientId);
    emit("change");
  },
  /** `draft` is `{text, reply_to}`, or nothing. */
  setDraft(chatId, draft) {
    if (draft) drafts.set(chatId, draft);
    else if (!drafts.delete(chatId)) return;
    keep.draft(chatId, draft);
    emit("drafts");
  },
};

/** Takes over what is kept: at the start, and when another tab has changed it. */
async function load() {
  const [kept, typed] = await Promise.all([keep.entries(), keep.drafts()]);
  if (!kept || !typed) return;
  const known = new Map(entries.map((entry) => [entry.client_id, entry]));
  const stored = kept.filter(({ client_id: id }) => !removed.has(id) && !unkept.has(id));
  const waiting = entries.filter(({ client_id: id }) => unkept.has(id));
  entries = [...stored.map((entry) => Object.assign(known.get(entry.client_id) ?? {}, entry)), ...waiting];
  entries.sort((one, other) => one.order - other.order);
  drafts.clear();
  for (const draft of typed) drafts.set(draft.chat_id, draft);
  dropStored();
  emit("change");
  emit("drafts");
  drainAll();
}

/** Not `randomUUID`: browsers lack it on plain http. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The event of an own message may come before the answer to its request. */
function dropStored() {
  const mine = outbox.of(store.openId);
  if (!mine.length) return;
  const stored = new Set();
  for (const { sender_id: sender, client_id: id } of store.room.messages.values()) if (sender === store.me.id) stored.add(id);
  for (const { client_id: id } of mine) if (stored.has(id)) outbox.remove(id);
}

function drainAll() {
  for (const wake of draining.values()) wake();
  for (const chatId of new Set(entries.map((entry) => entry.chat_id))) drain(chatId);
}

/** One after the other: a later message never overtakes one that has to be sent again. */
async function drain(chatId) {
  if (draining.has(chatId)) return;
  draining.set(chatId, () => {});
  let failures = 0;
  for (let entry; socket.isUp && (entry = next(chatId)); ) {
    const error = await send(entry);
    if (!error) failures = 0;
    else if (error.isRefused) refuse(entry, error.message);
    else if (socket.isUp) await pause(chatId, error.retryAfter || wait(failures++));
  }
  draining.delete(chatId);
  if (socket.isUp && next(chatId)) drain(chatId);
}

const next = (chatId) => entries.find((entry) => entry.chat_id === chatId && !entry.reason);
const wait = (failures) => WAITS[Math.min(failures, WAITS.length - 1)] * (0.75 + Math.random() / 2);

async function send({ chat_id, client_id, content, reply_to }) {
  const fields = { chat_id, client_id, content, ...(reply_to && { reply_to }) };
  try {
    const { message } = await socket.request("message.send", fields);
    store.take(message);
    outbox.remove(client_id);
    return null;
  } catch (error) {
    return error;
  }
}

function refuse(entry, reason) {
  entry.reason = reason;
  keep.entry(entry);
  emit("change");
}

function pause(chatId, seconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    draining.set(chatId, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

// In IndexedDB

const me = store.me.id;
const others = typeof BroadcastChannel === "function" ? new BroadcastChannel(`kept:${me}`) : null;
const opening = open();

export const keep = {
  /** Undefined where there is no storage, as all that is read here. */
  entries: () => ofMine("outbox"),
  drafts: () => ofMine("drafts"),
  /** Into the outbox, its draft out, in one transaction: what was typed is always in one of them. */
  async send(entry) {
    await change(["outbox", "drafts"], (outbox, drafts) => {
      outbox.put({ ...entry, user_id: me });
      drafts.delete([me, entry.chat_id]);
    });
  },
  entry: (entry) => change(["outbox"], (outbox) => outbox.put({ ...entry, user_id: me })),
  dropEntry: (id) => change(["outbox"], (outbox) => outbox.delete(id)),
  draft(chatId, draft) {
    const key = [me, chatId];
    return change(["drafts"], (drafts) => (draft ? drafts.put({ ...draft, user_id: me, chat_id: chatId }) : drafts.delete(key)));
  },
  room: (id) => read("rooms", (rooms) => rooms.get([me, id])),
  rooms: () => ofMine("rooms"),
  keepRoom,
  dropRoom: (id) => change(["rooms"], (rooms) => rooms.delete([me, id]), { isTold: false }),
};

/** Resolves with null where there is no storage: then all is kept as long as the page lives. */
function open() {
  return new Promise((resolve) => {
    let request;
    try {
      request = indexedDB.open(NAME, 1);
    } catch {
      return resolve(null);
    }
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "client_id" }).createIndex("mine", "user_id");
      request.result.createObjectStore("drafts", { keyPath: ["user_id", "chat_id"] }).createIndex("mine", "user_id");
      request.result.createObjectStore("rooms", { keyPath: ["user_id", "id"] }).createIndex("mine", "user_id");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
}

/** One transaction; resolves with what `work` asked for, or undefined where it came to nothing. */
async function run(names, mode, work) {
  const database = await opening;
  if (!database) return undefined;
  return new Promise((resolve) => {
    const transaction = database.transaction(names, mode, { durability: "strict" });
    const asked = work(...names.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onabort = () => resolve(undefined);
  });
}

const read = (name, work) => run([name], "readonly", work);
const ofMine = (name) => read(name, (kept) => kept.index("mine").getAll(me));

async function change(names, work, { isTold = true } = {}) {
  await run(names, "readwrite", work);
  if (isTold) others?.postMessage("change");
}

/** The end of a chat as it is now, so that it opens at once, and without a connection. */
async function keepRoom(room) {
  const chat = store.chats.get(room.id);
  if (!chat || !room.isFilled || room.hasAfter || room.staleSince !== null) return;
  const messages = room.from(room.last - KEPT_MESSAGES + 1, room.last);
  const members = [...room.members.values()];
  const kept = { user_id: me, id: room.id, chat, members, messages, kept_at: Date.now() };
  await change(["rooms"], (rooms) => rooms.put(kept), { isTold: false });
  const all = (await keep.rooms()) ?? [];
  const old = all.sort((one, other) => other.kept_at - one.kept_at).slice(KEPT_ROOMS);
  for (const { id } of old) keep.dropRoom(id);
}
