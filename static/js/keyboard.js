// The keys that act anywhere on the page, and the list of chats as one tab stop.

import { find, findAll } from "./dom.js";
import { reading } from "./reading.js";
import { timeline } from "./timeline.js";

/** What a focused message takes for itself; it would surprise to see these typed. */
const ROW_KEYS = "celru+";
/** A menu or a picker that stands open. */
const PANEL = ":popover-open:not([popover=manual])";
const EDITABLE = "input, textarea, select, [contenteditable]";
const CHATS = ".chat-list > [data-chat-id]:not([hidden])";
/** Each part of the page, and where in it the focus goes. */
const REGIONS = [
  [".sidebar", ".chat-list a[tabindex='0']"],
  ["[data-timeline]", "[data-timeline]"],
  ["[data-composer]", "[data-composer] textarea"],
  [".details", ".details"],
];

export const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/** Read by the sheet of shortcuts, too. `Mod` is ⌘ or Ctrl. */
export const anywhere = [
  { keys: "Mod+K", text: "Search or jump to", act: openPalette },
  { keys: "Mod+/", text: "Keyboard shortcuts", act: openShortcuts },
  { keys: "Alt+ArrowUp", text: "Previous chat", act: () => openBeside(-1) },
  { keys: "Alt+ArrowDown", text: "Next chat", act: () => openBeside(1) },
  { keys: "Alt+Shift+ArrowUp", text: "Previous unread chat", act: () => openBeside(-1, ".is-unread") },
  { keys: "Alt+Shift+ArrowDown", text: "Next unread chat", act: () => openBeside(1, ".is-unread") },
  { keys: "F6", text: "Next part of the page", act: () => focusRegion(1) },
  { keys: "Shift+F6", text: "Previous part of the page", act: () => focusRegion(-1) },
];

export const keyboard = { start };

function start() {
  document.addEventListener("keydown", pressed);
  const lists = find(".chat-lists");
  lists.addEventListener("keydown", moveAmongChats);
  lists.addEventListener("focusin", rove);
  new MutationObserver(() => rove()).observe(lists, {
    subtree: true,
    childList: true,
    attributeFilter: ["hidden", "aria-current"],
  });
  rove();
}

/** A key that belongs to an input method is nobody else's. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Types into a field that has the focus, so that undoing works. */
export const insertText = (text) => document.execCommand("insertText", false, text);

function pressed(event) {
  if (event.defaultPrevented || isComposing(event) || find("dialog:modal")) return;
  const shortcut = anywhere.find(({ keys }) => keys === combination(event));
  if (shortcut) {
    event.preventDefault();
    shortcut.act();
  } else if (find(PANEL)) return;
  else if (event.key === "Escape") leave(event);
  else if (isForComposer(event)) find("[data-composer] textarea")?.focus();
}

/** `Alt+Shift+ArrowUp`; empty for what no shortcut may be. */
function combination(event) {
  const { altKey, ctrlKey, metaKey, shiftKey } = event;
  const [isMod, isOther] = isApple ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  const key = keyOf(event);
  if (isOther || !key) return "";
  // Where a sign needs Shift depends on the layout.
  const isShifted = shiftKey && /^[A-Z]/.test(key);
  return [isMod && "Mod", altKey && "Alt", isShifted && "Shift", key].filter(Boolean).join("+");
}

/** The character where it is Latin, else what the key bears on a Latin keyboard. */
function keyOf({ key, code }) {
  if (key.length > 1) return key;
  if (/[\x21-\x7e]/.test(key)) return key.toUpperCase();
  return code === "Slash" ? "/" : (code.match(/^Key([A-Z])$/)?.[1] ?? "");
}

export function isPrintable(event) {
  const isCommand = (event.ctrlKey || event.altKey) && !event.getModifierState("AltGraph");
  return [...event.key].length === 1 && event.key !== " " && !isCommand && !event.metaKey;
}

function isForComposer(event) {
  if (!isPrintable(event) || event.target.closest(EDITABLE)) return false;
  return !(event.target.matches(".message") && ROW_KEYS.includes(event.key.toLowerCase()));
}

/** One thing a press; what comes before these keeps the key to itself. */
function leave({ target }) {
  const pill = find("[data-to-newest]:not([hidden])");
  if (target.closest("input")) return;
  if (pill) pill.click();
  else if (find("#unread")) reading.clearDivider();
  else if (target.closest("[data-composer]")) timeline.region.focus();
}

// Dialogs

export async function openPalette() {
  const { open } = await import("./palette.js");
  open();
}

export async function openShortcuts() {
  const { open } = await import("./shortcuts.js");
  open();
}

// Chats and regions

function openBeside(step, only = "*") {
  const rows = findAll(CHATS);
  const at = rows.findIndex((row) => find("[aria-current]", row));
  // From no chat at all, the first and the last are beside.
  const start = at < 0 && step < 0 ? 0 : at;
  const around = rows.map((_, index) => rows.at((start + step * (index + 1)) % rows.length));
  const next = around.find((row) => row.matches(only) && row !== rows[at]);
  if (!next) return;
  find(PANEL)?.hidePopover();
  find("a", next).click();
}

function focusRegion(step) {
  const parts = REGIONS.filter(([, target]) => find(target)?.checkVisibility());
  const at = parts.findIndex(([part]) => find(part).contains(document.activeElement));
  const to = at < 0 && step < 0 ? parts.length - 1 : (at + step + parts.length) % parts.length;
  find(parts[to][1]).focus();
}

// The list of chats: one tab stop, arrows inside

/** Keeps one link of the list in the tab order: the focused one, else the open chat's, else the first. */
function rove(event) {
  const links = findAll(`${CHATS} > a`);
  const kept = [
    event?.target.closest("a"),
    find(".chat-list a[tabindex='0']"),
    find(".chat-list a[aria-current]"),
    links[0],
  ].find((link) => links.includes(link));
  for (const link of links) link.tabIndex = link === kept ? 0 : -1;
}

function moveAmongChats(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const links = findAll(`${CHATS} > a`);
  const at = links.indexOf(document.activeElement);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: links.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  links[Math.max(0, Math.min(to, links.length - 1))].focus();
}
