// What one has sent and the server has not confirmed: in order, each with its client_id, for ever.

import { emitter, socket } from "./socket.js";
import { store } from "./store.js";

const SENDING_AFTER = 1;
const WAITING_AFTER = 5;
const WAITS = [1, 2, 4, 8, 16, 30];
const KEY = `outbox:${store.me.id}`;

const { on, emit } = emitter();
let entries = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
const draining = new Map();

export const outbox = {
  /** `change` whenever an entry comes, goes or fails. */
  on,
  of: (chatId) => entries.filter((entry) => entry.chat_id === chatId),
  start() {
    store.on("messages", dropStored);
    socket.on("up", drainAll);
    dropStored();
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
    const client_id = newId();
    entries.push({ chat_id: chatId, client_id, content, reply_to: replyTo, created_at });
    save();
    drain(chatId);
  },
  retry(clientId) {
    const entry = entries.find((one) => one.client_id === clientId);
    delete entry.reason;
    save();
    drain(entry.chat_id);
  },
  remove(clientId) {
    entries = entries.filter((entry) => entry.client_id !== clientId);
    save();
  },
};

/** Not `randomUUID`: browsers lack it on plain http. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function save() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // A full or forbidden storage: what is sent lives as long as the page.
  }
  emit("change");
}

/** The event of an own message may come before the answer to its request. */
function dropStored() {
  const mine = [...store.messages.values()].filter(({ sender_id: id }) => id === store.me.id);
  const stored = new Set(mine.map((message) => message.client_id));
  const left = entries.filter((entry) => !stored.has(entry.client_id));
  if (left.length === entries.length) return;
  entries = left;
  save();
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
  save();
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
