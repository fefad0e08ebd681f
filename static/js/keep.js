// What this browser keeps in IndexedDB: what was typed and not stored yet, and the last chats.

import { emitter } from "./socket.js";
import { store } from "./store.js";

const NAME = "chat";
const KEPT_MESSAGES = 100;
const KEPT_ROOMS = 50;

const { on, emit } = emitter();
const me = store.me.id;
const others = typeof BroadcastChannel === "function" ? new BroadcastChannel(`kept:${me}`) : null;
const opening = open();

export const keep = {
  /** `change`: another tab of the same person added or removed something. */
  on,
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

others?.addEventListener("message", () => emit("change"));

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
