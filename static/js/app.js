// Starts the page, and changes from chat to chat without loading it again.

import { attention } from "./attention.js";
import { composer } from "./composer.js";
import { clockTime, clone, find, titleOf } from "./dom.js";
import { follow, takeKept } from "./events.js";
import { keyboard } from "./keyboard.js";
import { keep, outbox } from "./keep.js";
import { reading } from "./reading.js";
import { sidebar } from "./sidebar.js";
import { socket } from "./socket.js";
import { emit, store } from "./store.js";
import { timeline } from "./timeline.js";

const ROUTE = /^\/(?:c\/([0-9a-f-]{36}))?$/;
const SKELETON_AFTER = 0.2;
const KEEP_AFTER = 2;
const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
const rest = () => globalThis.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));

const lists = find(".chat-lists");
let keepTimer = 0;
let filling = null;
/** By name, promised; null for one that could not be had. */
const parts = new Map();

follow();
if (sessionStorage.getItem("list")) lists.scrollTop = sessionStorage.getItem("list");
addEventListener("pagehide", goAway);
keyboard.start();
if (find("[data-confirms]")) import("./entrance.js");
const isRestored = outbox.start();
if (find("[data-conversation]")) {
  reading.start();
  composer.start();
  attention.start();
  timeline.list.addEventListener("click", pressEarly);
}
for (const type of ["messages", "members"]) store.on(type, keepSoon);
store.on("torn", tear);
store.on("removed", leaveRemoved);
store.on("failed", say);
store.on("done", (text) => say(text, null, true));
addEventListener("unhandledrejection", () => say("That didn't work. Try again."));
socket.on("up", mendStale);
for (const type of ["dragover", "drop"]) addEventListener(type, refuseFiles);
for (const open of [openNewChat, doInDetails, openCard]) document.addEventListener("click", open);
const picker = find("main [data-new-chat]");
if (picker) import("./people.js").then(({ enhance }) => enhance(picker));
socket.on("up", () => parts.forEach((part, name) => part ?? bring(name)));
addEventListener("load", bringParts);
startRest();

/** Step by step, each in a task of its own: what is pressed or typed meanwhile does not wait for all of it. */
async function startRest() {
  const readClock = () => clockTime(new Date()); // a browser's first takes 15 ms
  const enter = () => find("[data-conversation]") && begin();
  const connect = () => socket.start(store.me.id);
  for (const step of [readClock, sidebar.start, enter, connect]) {
    await rest();
    step();
  }
  globalThis.navigation?.addEventListener("navigate", navigate);
}

/** Of a failure, or that something was done; `again` does what the reader asks for again. */
async function say(text, again, isGood) {
  const banner = await bring("banner").catch(() => null); // else what says so would be said, without end
  banner?.say(text, again, isGood);
}

// From chat to chat

/** The chat that an address is of; null for the list, undefined where it is another page's. */
function chatIn({ pathname }) {
  const found = ROUTE.exec(pathname);
  return found ? (found[1] ?? null) : undefined;
}

/** The server has rendered a chat; or it is a page that was kept, perhaps at another address. */
async function begin() {
  const id = chatIn(location);
  const at = Number(new URLSearchParams(location.search).get("at")) || undefined;
  const isReload = performance.getEntriesByType("navigation")[0]?.type === "reload";
  if ("kept" in document.documentElement.dataset) takeKept((await keep.rooms()) ?? []);
  if (store.room && id === store.openId) {
    const kept = keptPlace();
    const left = isReload || (!at && !kept?.isPinned) ? kept : null;
    if (left) await reach(left);
    reading.enter({ at: left ? undefined : at, left, isAdopted: true });
    isRestored.then(composer.enter);
  } else if (id && !store.chats.has(id)) leaveUnknown();
  else if (id !== undefined) await show(id, at);
}

function leaveUnknown() {
  say("That chat is not kept in this browser.");
  history.replaceState(null, "", "/");
  show(null);
}

/** Where one was before a reload, the server may not have put into the page. */
async function reach({ isPinned, seq }) {
  const { room } = store;
  const isThere = isPinned ? !room.hasAfter : room.messages.has(seq);
  if (!isThere) await room.loadAround(isPinned ? 0 : seq).catch(() => {});
}

function navigate(event) {
  const url = new URL(event.destination.url);
  const id = chatIn(url);
  const isOurs = event.canIntercept && !event.hashChange && !event.formData && event.downloadRequest === null;
  if (!isOurs || event.navigationType === "reload" || id === undefined || !find("[data-conversation]")) return;
  if (id && !store.chats.has(id)) return;
  const at = Number(url.searchParams.get("at")) || undefined;
  event.intercept({ scroll: "manual", focusReset: "manual", handler: () => show(id, at) });
}

async function show(id, at) {
  if (id === store.openId) return at ? reading.goTo(at) : undefined;
  leave();
  find("[data-welcome]")?.remove();
  store.open(id);
  document.body.classList.toggle("is-chat", Boolean(id));
  document.body.classList.toggle("is-list", !id);
  find("[data-conversation]").hidden = find("[data-details]").hidden = !id;
  find("[data-home]").hidden = Boolean(id);
  if (!id) return returnToList();
  isRestored.then(composer.enter);
  await fill(at);
}

function leave() {
  keepPlaces();
  if (!store.room) return;
  if (store.room.isFilled) {
    attention.leave();
    store.room.isLeftUnread = false;
  }
  composer.leave();
  keepRoom(store.room);
}

function goAway() {
  keepPlaces();
  composer.saveDraft();
  outbox.handOver();
}

/** For this tab, whether one goes on inside the page or loads it: what `history` is told late is lost. */
function keepPlaces() {
  if (lists.checkVisibility()) sessionStorage.setItem("list", lists.scrollTop);
  if (store.room?.isFilled) sessionStorage.setItem(`place ${store.openId}`, JSON.stringify(reading.placeNow()));
}

function keptPlace() {
  return JSON.parse(sessionStorage.getItem(`place ${store.openId}`));
}

function returnToList() {
  lists.scrollTop = sessionStorage.getItem("list");
  find("[aria-current]", lists)?.focus({ preventScroll: true });
}

/** What the room lacks: from what this browser keeps where that is as new, else from the server. */
async function fill(at) {
  const { room } = store;
  if (!room.isFilled) {
    timeline.reset();
    const timer = setTimeout(() => room === store.room && !room.isFilled && timeline.list.append(...skeleton()), SKELETON_AFTER * 1000);
    filling = fillRoom(room, at).catch(() => say("This chat could not be loaded. It will be when you're back."));
    await filling;
    clearTimeout(timer);
  }
  if (room !== store.room || !room.isFilled) return;
  emit("members");
  reading.enter({ at, left: keptPlace() });
}

async function fillRoom(room, at) {
  const chat = store.chats.get(room.id);
  const kept = await keep.room(room.id);
  const isFresh = kept?.chat.version === chat.version;
  if (isFresh) return take(room, kept);
  const unread = chat.me.unread_count && !store.me.settings.opens_at_newest ? chat.me.last_read_seq + 1 : 0;
  try {
    await Promise.all([room.loadAround(at ?? unread), room.loadMembers()]);
    // All from the mark on may be one's own.
    if (!at && unread && !room.from(unread).some(isOthers)) await room.loadAround(0);
  } catch (error) {
    if (!kept) throw error;
    take(room, kept);
    room.staleSince = kept.chat.version;
  }
}

const isOthers = ({ sender_id: sender }) => sender && sender !== store.me.id;

function take(room, { messages, members }) {
  room.keepPage(messages);
  for (const member of members) room.takeMember(member);
}

const skeleton = () => Array.from({ length: 6 }, () => clone("skeleton"));

/** Too much has changed: what is shown is loaded anew, around what one looks at. */
async function tear(room) {
  const left = reading.placeNow();
  keepPlaces();
  await room.renew(left.isPinned ? 0 : left.seq).catch(() => {});
  if (room === store.room && room.isFilled) reading.enter({ left, isSame: true });
}

async function mendStale() {
  await filling; // else its rows would come twice, the second time as read
  for (const room of store.rooms.values()) {
    if (!room.isFilled && room === store.room) await fill();
    if (room.staleSince === null) continue;
    await room.catchUp().catch(() => {});
    if (room === store.room && room.isFilled) reading.enter({ left: reading.placeNow(), isSame: true });
  }
}

function keepSoon() {
  clearTimeout(keepTimer);
  const { room } = store;
  keepTimer = setTimeout(() => room && keepRoom(room), KEEP_AFTER * 1000);
}

const keepRoom = (room) => import("./kept.js").then((kept) => kept.keepRoom(room), () => {});

function leaveRemoved(chat) {
  say(`You're no longer in ${titleOf(chat)}.`);
  show(null);
  history.replaceState(null, "", "/");
}

// Dialogs and parts that come when they are needed

async function bringParts() {
  const ofChats = find("[data-conversation]") ? ["menu", "receipts"] : [];
  for (const name of [...ofChats, "ages", "banner", "chosen"]) {
    await rest();
    bring(name);
  }
  whenIdle(() => bring("worker"));
}

/** What the page begins without; null where it can't be had: it is asked for again with a connection. */
function bring(name) {
  const part = parts.get(name) ?? startPart(name);
  parts.set(name, part);
  return part;
}

async function startPart(name) {
  const part = await import(`./${name}.js`).catch(() => null);
  if (name === "menu" && part) timeline.list.removeEventListener("click", pressEarly);
  if (part) part.start();
  else parts.set(name, null);
  return part;
}

/** What was pressed before its module had come is pressed again. */
async function pressEarly({ target }) {
  if (await bring("menu")) target.closest("button")?.click();
}

function openNewChat(event) {
  const opener = event.target.closest("[data-opens=new-chat]");
  if (!opener || !find("[data-dialog=new-chat]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./people.js").then(({ openDialog }) => openDialog());
}

/** A link among them leads to a page where there is no room for a panel. */
function doInDetails(event) {
  const button = event.target.closest("[data-does]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const isLink = button.href && matchMedia("(max-width: 799px)").matches;
  if (isLink) return;
  event.preventDefault();
  import("./details.js").then(({ act }) => act(button));
}

/** Of a member, of who is mentioned, or of who wrote. */
function openCard(event) {
  const { target } = event;
  const writer = target.closest(".message-name, .avatar.is-message")?.closest("[data-kind=text]");
  const id = target.closest("[data-card]")?.dataset.card ?? target.closest(".mention")?.dataset.userId ?? timeline.messageOf(writer)?.sender_id;
  if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./members.js").then((members) => members.openCard(target, id));
}

/** A browser would leave the page for a file that is dropped on it. */
function refuseFiles(event) {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}
