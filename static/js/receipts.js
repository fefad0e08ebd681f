// Who has read what one wrote: "Seen" in a direct chat, small faces in a group.

import { element, find, fullMoment, icon, listOf } from "./dom.js";
import { avatarOf } from "./parts.js";
import { socket } from "./socket.js";
import { store } from "./store.js";
import { timeline } from "./timeline.js";

const MOST_MEMBERS = 50;
const MOST_FACES = 3;

const line = element("p", { class: "receipt" });
/** When this page heard that a message was seen, by its id. */
const heardAt = new Map();
let shown = "";

export function start() {
  store.on("seen", () => show(true));
  for (const type of ["members", "messages", "user"]) store.on(type, () => show());
  new MutationObserver(() => show()).observe(timeline.list, { childList: true });
  show();
}

/** Of a chat whose members were read before anybody told what they read. */
async function learnMarks(room) {
  try {
    await room.loadMembers();
    show();
  } catch {
    room.knowsMarks = false; // it is tried again with the next that is shown
  }
}

function show(isNews = false) {
  const { room } = store;
  if (room?.isFilled && !room.knowsMarks && socket.isUp && isWanted()) learnMarks(room);
  const { message, readers } = room?.isFilled && isWanted() ? seen() : {};
  const row = message && timeline.rowOf(message.seq);
  if (!row || !readers.length) return line.remove();
  if (isNews && !heardAt.has(message.id)) heardAt.set(message.id, new Date());
  const wanted = [message.id, heardAt.get(message.id), ...readers.map(({ id, display_name: name }) => id + name)].join();
  if (wanted !== shown) fill(message, readers);
  shown = wanted;
  const body = find(".message-body", row);
  if (line.parentElement !== body) body.append(line);
}

const isWanted = () => store.me.settings.shows_read !== false && store.chat.member_count <= MOST_MEMBERS;

/** One's newest message that the other person has seen; in a group one's newest, and who has seen it. */
function seen() {
  const others = [...store.members.values()].filter(({ user, last_read_seq: mark }) => user.id !== store.me.id && mark !== null);
  const isMine = ({ sender_id: sender, deleted_at: deletedAt }) => sender === store.me.id && !deletedAt;
  const own = store.room.from(1).filter(isMine);
  const upTo = store.chat.peer ? (others[0]?.last_read_seq ?? 0) : Infinity;
  const message = own.findLast(({ seq }) => seq <= upTo);
  const readers = others.filter(({ last_read_seq: mark }) => message && mark >= message.seq).map(({ user }) => user);
  return { message, readers };
}

function fill(message, readers) {
  const isDirect = Boolean(store.chat.peer);
  line.classList.toggle("is-group", !isDirect);
  if (isDirect) return fillSeen(heardAt.get(message.id));
  const names = readers.slice(0, MOST_FACES).map(({ display_name: name }) => name);
  const more = readers.length - names.length;
  const text = `Seen by ${listOf(more ? [...names, `${more} more`] : names)}`;
  const faces = readers.slice(0, MOST_FACES).map((user) => avatarOf(user, "face"));
  for (const face of faces) find(".presence", face).remove();
  const rest = more ? [element("span", { "aria-hidden": "true" }, `+${more}`)] : [];
  line.title = text;
  line.replaceChildren(element("span", { class: "visually-hidden" }, text), ...faces, ...rest);
}

function fillSeen(moment) {
  line.title = moment ? fullMoment(moment) : "";
  line.replaceChildren(icon("check-double"), element("span", {}, "Seen"));
}
