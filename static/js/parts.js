// What the panels that come later share: avatars, keycaps, letters found, a place, all members.

import { element, paintAvatar } from "./dom.js";
import { isApple } from "./keyboard.js";
import { get } from "./socket.js";
import { store } from "./store.js";

const GAP = 4;
const ARROWS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };
const OTHERS = { ...ARROWS, Mod: "Ctrl", Escape: "Esc" };
const APPLES = { ...ARROWS, Mod: "⌘", Alt: "⌥", Shift: "⇧", Enter: "⏎", Escape: "Esc" };

export function avatarOf(user, size) {
  const made = element("span", { class: size ? `avatar is-${size}` : "avatar", "aria-hidden": "true" });
  const dot = element("span", { class: "presence", "data-presence": user.id });
  dot.classList.toggle("is-online", user.is_online);
  made.append(element("span", { class: "avatar-text" }), dot);
  paintAvatar(made, user.display_name, user.id);
  return made;
}

/** `Mod+K` as this platform's keyboards have it. */
export function keycaps(keys) {
  const names = isApple ? APPLES : OTHERS;
  const caps = keys.split(/(?<=.)\+/).map((key) => element("kbd", {}, names[key] ?? key));
  return element("span", { class: "keycaps" }, ...caps);
}

/** Puts a popover below a rectangle, its end at the rectangle's; above it where there is more room. */
export function place(panel, { top, bottom, right }) {
  const { offsetWidth: width, offsetHeight: height } = panel;
  const isRoomy = bottom + GAP + height <= innerHeight;
  const wanted = isRoomy ? bottom + GAP : top - GAP - height;
  panel.style.inset = "auto";
  panel.style.top = `${Math.max(GAP, Math.min(wanted, innerHeight - height - GAP))}px`;
  panel.style.left = `${Math.max(GAP, Math.min(right - width, innerWidth - width - GAP))}px`;
}

let widening = null;

/** Brings the members of the open chat that are not held yet. True where there were any. */
export async function loadAllMembers() {
  if (store.room.hasAllMembers) return false;
  widening ??= loadPages(store.room).finally(() => (widening = null));
  return widening.then(() => true, () => false);
}

async function loadPages(room) {
  for (let path = `/chats/${room.id}/members?limit=200`; path; ) {
    const { results, next } = await get(path);
    for (const member of results) room.takeMember(member);
    const { pathname, search } = new URL(next ?? location);
    path = next && pathname + search;
  }
}

/** Lower case and without accents, as people search. */
export function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How well a text answers to folded letters: 0 begins with them, 1 a word does, 2 has them; else -1. */
export function rank(text, letters) {
  const at = fold(text).indexOf(letters);
  if (at < 1) return at;
  return fold(text).split(/[\s._-]+/).some((word) => word.startsWith(letters)) ? 1 : 2;
}

/** The text with the letters that were found in it marked. */
export function marked(text, letters) {
  const at = fold(text).indexOf(letters);
  // Where folding changes the length, the place found is not the place in the text.
  if (!letters || at < 0 || fold(text).length !== text.length) return [text];
  const end = at + letters.length;
  return [text.slice(0, at), element("mark", {}, text.slice(at, end)), text.slice(end)];
}
