// How data becomes elements: templates, names, times. The only module that sets HTML.

const WORKER = "/sw.js";
const policy = globalThis.trustedTypes?.createPolicy("message-html", {
  createHTML: (html) => html,
  createScriptURL: () => WORKER,
});
const AVATAR_COLOURS = 8;
const GONE_ACCOUNT = "Deleted account";
const SVG = "http://www.w3.org/2000/svg";
const MOST_KINDS = 11;
/** Shorter texts never fill the twenty lines at which one is folded. */
const MAYBE_LONG = 500;
const MAYBE_LINES = 20;

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
export const slot = (root, name) => find(`[data-slot="${name}"]`, root);

/** What the server put into the page as JSON; null where there is none. */
export function pageData(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

export function clone(template) {
  return find(`template[data-template="${template}"]`).content.firstElementChild.cloneNode(true);
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function icon(name) {
  const [made, use] = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "use")];
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  made.append(use);
  return made;
}

/** What is the same costs no layout, and is not read out again. */
export const set = (target, property, value) => target[property] === value || (target[property] = value);

/** Makes these the children of a parent, in this order, moving none that stands right. */
export function arrange(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
}

/** The address of the service worker, which is no other. */
export const workerUrl = () => (policy ? policy.createScriptURL("") : WORKER);

/** `html` is a message's own, made safe by the server. Nothing else is ever shown. */
const setHtml = (target, html) => (target.innerHTML = policy ? policy.createHTML(html) : html);

/** A document to be read, not to be shown: nothing in it is run or loaded. */
export const parseHtml = (html) => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");

// Names, as messaging/templatetags/chat_tags.py and messaging/formatting.py have them

const words = (text) => text.split(/[\s\x1c-\x1f\x85]+/).filter(Boolean);
const first = (text) => String.fromCodePoint(...(text ? [text.codePointAt(0)] : []));

export function initials(name) {
  const [start, ...rest] = words(name);
  if (!rest.length || first(start) > "\x7f") return first(name).toUpperCase();
  return (first(start) + first(rest.at(-1))).toUpperCase();
}

export function colour(key) {
  let crc = -1;
  for (const byte of new TextEncoder().encode(key ?? "")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ((crc ^ -1) >>> 0) % AVATAR_COLOURS;
}

export function titleOf(chat) {
  return chat.peer ? chat.peer.display_name : chat.name || GONE_ACCOUNT;
}

export const countText = (number) => (number > 99 ? "99+" : String(number));

const MARKS = [
  [/^[ \t]*(?:`{3,}|~{3,}).*$/gm, ""],
  [/^[ \t]{0,9}(?:>[ \t]?|[-*+][ \t])/gm, ""],
  [/\[([^[\]\n]{1,200})\]\([^()\s]{1,300}\)/g, "$1"],
  [/(?<![\p{L}\p{N}_])_([^_\n]{1,300})_(?![\p{L}\p{N}_])/gu, "$1"],
  [/(?<![*\s])\*+|\*+(?![*\s])|~~+|`+/g, ""],
];

/** One line of plain text, without the marks of Markdown. */
export function preview(content, limit = 140) {
  let text = [...content.slice(0, limit * 16)].slice(0, limit * 8).join("");
  for (const [pattern, replacement] of MARKS) text = text.replace(pattern, replacement);
  const line = [...words(text).join(" ")];
  if (line.length <= limit) return line.join("");
  return `${line.slice(0, limit - 1).join("").trimEnd()}…`;
}

export function listOf(names) {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(names).replace(/, and /, " and ");
}

// Times, in the reader's zone

/** Made when it is needed: eight of them would take longer than the rest of the start. */
function dated(locale, options) {
  let made;
  return (date) => (made ??= new Intl.DateTimeFormat(locale, options)).format(date);
}

const clock = dated(undefined, { timeStyle: "short" });
const fullTime = dated(undefined, { dateStyle: "full", timeStyle: "short" });
const weekday = dated("en", { weekday: "long" });
const dayOfYear = dated("en-GB", { day: "numeric", month: "long" });
const wholeDate = dated("en-GB", { dateStyle: "long" });
const shortDate = dated("en-GB", { day: "numeric", month: "short" });
const numericDate = dated(undefined, { dateStyle: "short" });

const padded = (number) => String(number).padStart(2, "0");

/** `2026-11-22`, of the local day. */
export const dayOf = (date) => `${date.getFullYear()}-${padded(date.getMonth() + 1)}-${padded(date.getDate())}`;

function daysAgo(date) {
  const noon = (day) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
  return Math.round((noon(new Date()) - noon(date)) / 86_400_000);
}

const isThisYear = (date) => date.getFullYear() === new Date().getFullYear();

export function dayName(day) {
  const date = new Date(`${day}T12:00`);
  const ago = daysAgo(date);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  if (ago > 1 && ago < 7) return weekday(date);
  return (isThisYear(date) ? dayOfYear : wholeDate)(date);
}

/** A short time for the list of chats. */
function ageName(date) {
  const ago = daysAgo(date);
  if (ago <= 0) return Date.now() - date < 60_000 ? "now" : clock(date);
  if (ago === 1) return "Yesterday";
  if (ago < 7) return weekday(date);
  return (isThisYear(date) ? shortDate : numericDate)(date);
}

/** When that was in full is said where somebody points at it: ages.js. */
function setTime(time, moment, name) {
  set(time, "dateTime", moment);
  set(time, "textContent", name(new Date(moment)));
}

const bareClock = (date) => clock(date).replace(/[\s\u202f]*\p{L}.*$/u, "");
const setClock = (time, moment) => setTime(time, moment, clock);
export const setAge = (time, moment) => setTime(time, moment, ageName);
export const fullMoment = (moment) => fullTime(new Date(moment));
export const clockTime = (moment) => clock(new Date(moment));

/** "Online", "Last seen 14:05", or "Offline" of one who does not say. */
export function presenceWords({ is_online: isOnline, last_seen: moment }) {
  if (isOnline || !moment) return isOnline ? "Online" : "Offline";
  const day = dayName(dayOf(new Date(moment)));
  const when = { Today: "", Yesterday: "yesterday " }[day] ?? `${day} `;
  return `Last seen ${when}${clockTime(moment)}`;
}

// Avatars

export function paintAvatar(avatar, name, key) {
  const wanted = `colour-${colour(key)}`;
  if (!avatar.classList.contains(wanted)) avatar.className = `${avatar.className.replace(/ ?\bcolour-\d*/, "")} ${wanted}`;
  set(find(".avatar-text", avatar) ?? avatar, "textContent", initials(name));
}

// Messages, as templates/messaging/_message.html has them

/** Fills a row with a message. `reply` is `{name, text, seq}` of the one that it answers. */
export function fillRow(row, message, { readerId, reply }) {
  row.id = `m${message.seq}`;
  row.dataset.id = message.id;
  row.dataset.seq = message.seq;
  row.dataset.kind = message.deleted_at ? "deleted" : message.system ? "system" : "text";
  row.classList.toggle("is-own", message.sender_id === readerId);
  row.classList.toggle("is-mention", message.mentions.includes(readerId));
  fillHead(row, message);
  fillReply(row, message, reply);
  fillText(row, message);
  find(".message-icon use", row).setAttribute("href", `#i-${SYSTEM_ICONS[message.system?.kind] ?? "info"}`);
  fillReactions(slot(row, "reactions"), message.reactions, readerId);
  row.removeAttribute("aria-label");
}

/** Makes a row that the server rendered one of the script's. */
export function adoptRow(row, message) {
  shownHtml.set(row, message.html);
  fillTimes(row, message);
  dressText(row, message);
}

const SYSTEM_ICONS = { created: "users", added: "user-add", removed: "user", left: "out", renamed: "edit", role: "users" };
const shownHtml = new WeakMap();
const unmeasured = new Set();

/** Text that is the same stays as it is: unfolded, or selected. */
function fillText(row, message) {
  if (shownHtml.get(row) === message.html) return;
  shownHtml.set(row, message.html);
  setHtml(slot(row, "html"), message.html);
  dressText(row, message);
}

export function dressText(row, { content }) {
  row.classList.remove("is-folded");
  find("[data-act=unfold]", row)?.remove();
  for (const code of findAll(".code", row)) (find("figcaption", code) ?? code).append(copyButton());
  // What scrolls sideways has to scroll by keys.
  for (const pre of findAll("pre", row)) pre.tabIndex = 0;
  if (content.length > MAYBE_LONG || content.split("\n").length > MAYBE_LINES) unmeasured.add(row);
}

function copyButton() {
  return element("button", { type: "button", class: "code-copy", "data-act": "copy-code" }, icon("copy"), element("span", {}, "Copy"));
}

/** Folds the texts that came since the last time and are too long. Reads their heights. */
export function foldLong() {
  // All are written before one is measured: else each costs a layout of all.
  for (const row of unmeasured) row.classList.add("is-folded");
  const texts = [...unmeasured].map((row) => slot(row, "html"));
  const areLong = texts.map((text) => text.scrollHeight > text.clientHeight + 1);
  for (const [at, row] of [...unmeasured].entries()) {
    if (!areLong[at]) row.classList.remove("is-folded");
    else texts[at].after(element("button", { type: "button", class: "message-more", "data-act": "unfold", "aria-expanded": "false" }, "Show more"));
  }
  unmeasured.clear();
}

export function fillHead(row, message) {
  paintAvatar(slot(row, "avatar"), message.sender?.display_name ?? "", message.sender_id);
  slot(row, "name").textContent = message.sender?.display_name ?? GONE_ACCOUNT;
  fillTimes(row, message);
}

export function fillTimes(row, message) {
  setClock(slot(row, "time"), message.created_at);
  setTime(slot(row, "side-time"), message.created_at, bareClock);
  const edited = slot(row, "edited");
  edited.hidden = !row.classList.toggle("is-edited", Boolean(message.edited_at && !message.deleted_at));
  setTime(edited, message.edited_at ?? message.created_at, () => "edited");
}

export function fillReply(row, message, reply) {
  const link = slot(row, "reply");
  link.hidden = !message.reply_to;
  const seq = reply?.seq ?? "";
  link.setAttribute("href", `?at=${seq}#m${seq}`);
  slot(row, "reply-name").textContent = reply?.name ?? "";
  slot(row, "reply-text").textContent = reply?.text ?? "";
}

/** A chip that stays is the same element, and keeps the focus. */
function fillReactions(list, reactions, readerId) {
  list.hidden = !reactions.length;
  const known = new Map(findAll("[data-emoji]", list).map((button) => [button.dataset.emoji, button]));
  const chips = reactions.map((reaction) => fillChip(known.get(reaction.emoji) ?? newChip(reaction), reaction, readerId));
  const [more, add] = [slot(list, "more-reactions"), slot(list, "add-reaction")];
  const left = reactions.length - MOST_KINDS;
  more.hidden = !list.classList.toggle("has-more", left > 0);
  find("button", more).textContent = left < 1 ? "" : `+${left}`;
  arrange(list, [...chips, more, add]);
}

function newChip({ emoji }) {
  const button = element("button", { type: "button", class: "reaction", "data-emoji": emoji });
  button.append(element("span", {}, emoji), " ", element("span", { class: "reaction-count" }));
  element("li", {}, button);
  return button;
}

function fillChip(button, { user_ids: ids }, readerId) {
  button.setAttribute("aria-pressed", ids.includes(readerId));
  button.removeAttribute("aria-label");
  button.classList.remove("is-pending");
  find(".reaction-count", button).textContent = ids.length;
  return button.parentElement;
}
