// What this browser keeps in IndexedDB: drafts, what waits to be sent, in order, and the last chats.

import { titleOf } from "./dom.js";
import { emitter, socket } from "./socket.js";
import { store } from "./store.js";

const SENDING_AFTER = 1;
const WAITING_AFTER = 5;
const WAITS = [1, 2, 4, 8, 16, 30];
const GONE = "You're no longer in this chat.";
const NAME = "chat";

const { on, emit } = emitter();
const drafts = new Map();
const draining = new Map();
/** What storage does not hold, or not yet, by client_id and by chat; and what it may hold still. */
const unkept = new Set();
const unkeptDrafts = new Set();
const removed = new Set();
/** When this page took an entry, by a clock that nobody can set. */
const addedAt = new Map();
let entries = [];
let lastOrder = 0;
let changes = 0;
let isHeld = false;

export const outbox = {
  /** `change` whenever an entry comes, goes or fails; `drafts` likewise. */
  on,
  of: (chatId) => entries.filter((entry) => entry.chat_id === chatId),
  draftOf: (chatId) => drafts.get(chatId),
  hasFailed: (chatId) => entries.some((entry) => entry.chat_id === chatId && entry.reason),
  /** What was written in chats that one is not in: entries, then drafts. */
  stranded() {
    const isStranded = ({ chat_id: id }) => !store.chats.has(id);
    return [...entries.filter(isStranded), ...[...drafts.values()].filter((draft) => draft.text && isStranded(draft))];
  },
  start() {
    store.on("messages", dropStored);
    store.on("gone", keep.dropRoom);
    socket.on("up", drainAll);
    addEventListener("online", drainAll);
    document.addEventListener("visibilitychange", () => document.hidden || drainAll());
    others?.addEventListener("message", ({ data }) => (data.message ? store.take(data.message) : load()));
    takeOver();
    return load();
  },
  /** What to say of an entry; nothing for as long as it may be on its way. */
  stateOf({ reason, client_id: id }) {
    const seconds = (performance.now() - (addedAt.get(id) ?? -Infinity)) / 1000;
    if (reason) return `Not sent. ${reason}`;
    if (seconds > WAITING_AFTER || !socket.isUp) return "Waiting to send";
    return seconds > SENDING_AFTER ? "Sending" : "";
  },
  add(chatId, content, replyTo) {
    const chat = store.chats.get(chatId);
    lastOrder = Math.max(lastOrder + 1, Date.now());
    // A clock that is late would put it before what it answers.
    const created_at = new Date(Math.max(Date.now(), Date.parse(chat.last_message?.created_at) || 0)).toISOString();
    const about = { chat_id: chatId, title: titleOf(chat), client_id: newId(), order: lastOrder };
    const entry = { ...about, content, reply_to: replyTo, created_at };
    addedAt.set(entry.client_id, performance.now());
    put(entry);
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
    unkept.delete(clientId);
    addedAt.delete(clientId);
    emit("change");
    return keep.dropEntry(clientId);
  },
  /** A page may go before its storage has opened: what is not in it waits beside it for the next page. */
  handOver() {
    const waiting = entries.filter(({ client_id: id }) => unkept.has(id));
    const typed = [...drafts.values()].filter(({ chat_id: chatId }) => unkeptDrafts.has(chatId));
    if (!waiting.length && !typed.length) return;
    try {
      localStorage.setItem(LEFT + page, JSON.stringify({ waiting, typed }));
    } catch {} // full, or forbidden as the other storage
  },
  /** `draft` is `{text, reply, edit}`, or nothing. */
  setDraft(chatId, draft) {
    const chat = store.chats.get(chatId);
    const title = chat ? titleOf(chat) : "";
    const kept = draft && { ...draft, chat_id: chatId, title };
    if (!kept && !drafts.has(chatId)) return;
    putDraft(chatId, kept);
    emit("drafts");
  },
};

function put(entry) {
  const { chat_id: chatId, client_id: id } = entry;
  entries.push(entry);
  drafts.delete(chatId);
  unkeptDrafts.delete(chatId);
  unkept.add(id);
  changes += 1;
  keep.send(entry).then((key) => {
    if (key) unkept.delete(id);
    drain(chatId);
  });
}

function putDraft(chatId, draft) {
  if (draft) drafts.set(chatId, draft);
  else drafts.delete(chatId);
  unkeptDrafts.add(chatId);
  changes += 1;
  keep.draft(chatId, draft).then((key) => {
    if (key && drafts.get(chatId) === draft) unkeptDrafts.delete(chatId);
  });
}

function takeOver() {
  try {
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith(LEFT))) {
      const left = localStorage.getItem(key);
      localStorage.removeItem(key); // first: what can't be read must not stand in the way of the rest
      const { waiting, typed } = JSON.parse(left);
      waiting.forEach(put);
      typed.forEach((draft) => putDraft(draft.chat_id, draft));
    }
  } catch {} // not of this program, or forbidden as the other storage
}

/** Takes over what is kept: at the start, and when another tab has changed it. */
async function load() {
  const began = changes;
  const [kept, typed] = await Promise.all([keep.entries(), keep.drafts()]);
  if (!kept || !typed) return undefined;
  if (began !== changes) return load(); // what was read is older than what was typed meanwhile
  const hadSome = entries.length || drafts.size;
  const known = new Map(entries.map((entry) => [entry.client_id, entry]));
  const stored = kept.filter(({ client_id: id }) => !removed.has(id) && !unkept.has(id));
  const waiting = entries.filter(({ client_id: id }) => unkept.has(id));
  const taken = stored.map((entry) => Object.assign(known.get(entry.client_id) ?? {}, { reason: undefined }, entry));
  entries = [...taken, ...waiting].sort((one, other) => one.order - other.order);
  lastOrder = Math.max(lastOrder, entries.at(-1)?.order ?? 0);
  drafts.clear();
  for (const draft of typed) drafts.set(draft.chat_id, draft);
  dropStored();
  if (hadSome || entries.length || drafts.size) {
    emit("change");
    emit("drafts");
  }
  return drainAll();
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
  const stored = new Map();
  for (const message of store.room.messages.values()) if (message.sender_id === store.me.id) stored.set(message.client_id, message);
  for (const { client_id: id } of mine) if (stored.has(id)) settle(stored.get(id));
}

/** The other tabs get it, too: where the connection is cut it would be gone from there, unsent and not stored. */
function settle(message) {
  others?.postMessage({ message });
  return outbox.remove(message.client_id);
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
    const error = await alone(chatId, () => deliver(entry));
    if (!error) failures = 0;
    else if (error.isRefused) refuse(entry, error.code === "not_found" ? GONE : error.message);
    else if (socket.isUp) await pause(chatId, error.retryAfter || wait(failures++));
  }
  draining.delete(chatId);
  if (socket.isUp && next(chatId)) drain(chatId);
}

const next = (chatId) => entries.find((entry) => entry.chat_id === chatId && !entry.reason);
const wait = (failures) => WAITS[Math.min(failures, WAITS.length - 1)] * (0.75 + Math.random() / 2);

/** Of all tabs one sends; where browsers have no locks, the server drops what comes twice. */
const alone = (chatId, work) => (navigator.locks ? navigator.locks.request(`send:${me}:${chatId}`, work) : work());

async function deliver(entry) {
  const { client_id: id } = entry;
  const isSettled = !unkept.has(id) && (await keep.countEntry(id)) === 0;
  return isSettled ? outbox.remove(id) : send(entry);
}

async function send({ chat_id, client_id, content, reply_to }) {
  const fields = { chat_id, client_id, content, ...(reply_to && { reply_to }) };
  try {
    const { message } = await socket.request("message.send", fields);
    store.take(message);
    await settle(message);
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
const LEFT = `left:${me}:`;
const page = newId();
const others = typeof BroadcastChannel === "function" ? new BroadcastChannel(`kept:${me}`) : null;
const opening = open();

export const keep = {
  /** Undefined where there is no storage, as all that is asked here. */
  entries: () => ofMine("outbox"),
  drafts: () => ofMine("drafts"),
  /** Into the outbox, its draft out, in one transaction: what was typed is always in one of them. */
  send(entry) {
    holdOn();
    return change(["outbox", "drafts"], (outbox, drafts) => {
      drafts.delete([me, entry.chat_id]);
      return outbox.put({ ...entry, user_id: me });
    });
  },
  countEntry: (id) => read("outbox", (outbox) => outbox.count(id)),
  entry: (entry) => change(["outbox"], (outbox) => outbox.put({ ...entry, user_id: me })),
  dropEntry: (id) => change(["outbox"], (outbox) => outbox.delete(id)),
  draft(chatId, draft) {
    if (draft) holdOn();
    const key = [me, chatId];
    return change(["drafts"], (drafts) => (draft ? drafts.put({ ...draft, user_id: me }) : drafts.delete(key)));
  },
  room: (id) => read("rooms", (rooms) => rooms.get([me, id])),
  rooms: () => ofMine("rooms"),
  putRoom: (room) => change(["rooms"], (rooms) => rooms.put({ ...room, user_id: me }), { isTold: false }),
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

/** Asks the browser, once, not to clear this when its disk is full. */
function holdOn() {
  if (isHeld) return;
  isHeld = true;
  navigator.storage?.persist?.().catch(() => {});
}

/** One transaction; resolves with what `work` asked for, or undefined where it came to nothing. */
async function run(names, mode, work) {
  const database = await opening;
  if (!database) return undefined;
  return new Promise((resolve) => {
    const transaction = database.transaction(names, mode, { durability: "strict" });
    const asked = work(...names.map((name) => transaction.objectStore(name)));
    transaction.commit?.(); // at once, for a page that goes waits for nothing
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onabort = () => resolve(undefined);
  }).catch(() => undefined); // a browser that clears its data closes the database, too
}

const read = (name, work) => run([name], "readonly", work);
const ofMine = (name) => read(name, (kept) => kept.index("mine").getAll(me));

async function change(names, work, { isTold = true } = {}) {
  const result = await run(names, "readwrite", work);
  if (isTold) others?.postMessage({});
  return result;
}
