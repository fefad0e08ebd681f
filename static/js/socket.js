// The connection: /ws with its greeting, requests, heartbeat and coming back; and requests by REST.

const ANSWER_SECONDS = 10;
const SILENCE_SECONDS = 25;
const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 30;
const SLOW_SECONDS = 2;
const NOT_SIGNED_IN = [4401, 4403];
const RESTARTING = 1012;
const UNCERTAIN_CODES = ["try_again", "error", "rate_limited", "not_authenticated"];

export function emitter() {
  const listeners = new Map();
  return {
    on(type, listener) {
      listeners.set(type, [...(listeners.get(type) ?? []), listener]);
    },
    emit(type, ...facts) {
      for (const listener of listeners.get(type) ?? []) listener(...facts);
    },
  };
}

/** A request that came to nothing. `isRefused`: the server said no, and asking again won't help. */
export class RequestError extends Error {
  constructor(entry) {
    super(entry?.detail ?? "No answer from the server.");
    this.code = entry?.code;
    this.isRefused = Boolean(entry) && !UNCERTAIN_CODES.includes(entry.code);
    this.retryAfter = entry?.retry_after ?? 0;
  }
}

const { on, emit } = emitter();
const waiting = new Map();
let ws = null;
let isUp = false;
let attempts = 0;
let lastRef = 0;
let heardAt = 0;
let retryTimer = 0;
let retryAt = 0;
let triedAt = 0;
let hasEnded = false;
let reader = "";
let greetingTimer = 0;
let silenceTimer = 0;

export const socket = {
  /** Every event by its type; `up`, `down`, `ended` when signed out, `stranger` when somebody else is in. */
  on,
  get isUp() {
    return isUp;
  },
  get hasEnded() {
    return hasEnded;
  },
  get secondsUntilRetry() {
    return retryTimer ? Math.max(0, (retryAt - performance.now()) / 1000) : 0;
  },
  tryNow,
  /** For one user: what they wrote must not go out with somebody else's cookie. */
  start(userId) {
    reader = userId;
    addEventListener("online", () => (isUp ? ping() : tryNow()));
    addEventListener("offline", () => isUp && drop());
    addEventListener("pageshow", (event) => event.persisted && tryNow());
    document.addEventListener("visibilitychange", () => document.hidden || tryNow());
    connect();
  },
  /** Resolves with the `ok`; rejects with a RequestError. */
  request(type, fields = {}) {
    if (!isUp) return Promise.reject(new RequestError());
    const ref = String(++lastRef);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => giveUp(ref), ANSWER_SECONDS * 1000);
      waiting.set(ref, { resolve, reject, timer, askedAt: Date.now() });
      ws.send(JSON.stringify({ type, ref, ...fields }));
    });
  },
  /** Without an answer; lost where there is no connection. */
  tell(type, fields) {
    if (isUp) ws.send(JSON.stringify({ type, ...fields }));
  },
};

function connect() {
  clearTimeout(retryTimer);
  retryTimer = 0;
  triedAt = performance.now();
  ws?.close();
  ws = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
  const mine = ws;
  clearTimeout(greetingTimer);
  greetingTimer = setTimeout(() => drop(), ANSWER_SECONDS * 1000);
  ws.addEventListener("message", ({ data }) => mine === ws && take(JSON.parse(data)));
  ws.addEventListener("close", ({ code }) => mine === ws && drop(code));
}

/** At once, unless an attempt has just begun. Whoever has signed in elsewhere is let in again. */
function tryNow() {
  const isSlow = performance.now() - triedAt > SLOW_SECONDS * 1000;
  if (!isUp && (retryTimer || hasEnded || isSlow)) connect();
  else if (isUp && Date.now() - heardAt > SILENCE_SECONDS * 1000) ping();
}

function take(frame) {
  heardAt = Date.now();
  listenForSilence();
  if (frame.type === "ok" || frame.type === "error") return answer(frame);
  if (frame.type === "hello" && frame.user.id !== reader) return turnAway();
  if (frame.type === "hello") greet();
  emit("event", frame);
  emit(frame.type, frame);
}

function turnAway() {
  drop(NOT_SIGNED_IN[0]);
  emit("stranger");
}

function greet() {
  clearTimeout(greetingTimer);
  isUp = true;
  hasEnded = false;
  attempts = 0;
  emit("up");
}

function answer(frame) {
  const request = waiting.get(frame.ref);
  if (!request) return;
  waiting.delete(frame.ref);
  clearTimeout(request.timer);
  if (frame.type === "ok") request.resolve(frame);
  else request.reject(new RequestError(frame.errors[0]));
}

function giveUp(ref) {
  const { reject, askedAt } = waiting.get(ref);
  waiting.delete(ref);
  reject(new RequestError());
  if (heardAt < askedAt) drop();
}

function listenForSilence() {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(ping, SILENCE_SECONDS * 1000);
}

function ping() {
  socket.request("ping").catch(() => {});
}

/** Forgets the connection without waiting for its end: a dead one can take minutes to say so. */
function drop(code) {
  const old = ws;
  ws = null;
  old?.close();
  clearTimeout(greetingTimer);
  clearTimeout(silenceTimer);
  const wasUp = isUp;
  isUp = false;
  for (const { reject, timer } of waiting.values()) {
    clearTimeout(timer);
    reject(new RequestError());
  }
  waiting.clear();
  if (wasUp) emit("down");
  hasEnded = NOT_SIGNED_IN.includes(code);
  if (hasEnded) return emit("ended");
  const seconds = waitAfter(code);
  retryAt = performance.now() + seconds * 1000;
  retryTimer = setTimeout(connect, seconds * 1000);
}

function waitAfter(code) {
  if (code === RESTARTING) return Math.random() * 5;
  const wait = Math.min(FIRST_WAIT * 2 ** attempts++, LONGEST_WAIT);
  return wait * (0.5 + Math.random() / 2);
}

/** Asks the API. Throws where there is no good answer; `status` is 0 where there is none at all. */
export async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": csrfToken() });
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) }).catch(() => null);
  if (answer?.status === 401) emit("ended");
  if (answer?.ok) return answer.status === 204 ? null : answer.json();
  const { errors } = (await answer?.json().catch(() => null)) ?? {};
  const detail = errors?.[0].detail ?? "We couldn't reach the server.";
  throw Object.assign(new Error(detail), { status: answer?.status ?? 0 });
}

export const get = (path) => ask("GET", path);

export const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
