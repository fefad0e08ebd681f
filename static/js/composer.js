// Where one writes: sending, drafts, replies and edits.

import { find, preview } from "./dom.js";
import { outbox } from "./keep.js";
import { insertText, isComposing } from "./keyboard.js";
import { reading } from "./reading.js";
import { ask, socket } from "./socket.js";
import { store } from "./store.js";
import { timeline } from "./timeline.js";

const DRAFT_SECONDS = 0.3;
const TYPING_SECONDS = 3;
const MAX_CONTENT = 10_000;
const COUNT_FROM = 0.9;
const PAGES = { PageUp: -1, PageDown: 1 };
/** What is worth keeping of what was copied elsewhere. */
const RICH = /<(?:a|b|strong|i|em|s|del|code|pre|ul|ol|blockquote|h[1-6])[\s>]/i;
const ADDRESS = /^https?:\/\/[^\s()]+$/;
const BLANK = /^[\s\u200b-\u200d\u2060\ufeff]*$/;

const form = find("[data-composer]");
const field = form && find("textarea", form);
const context = form && find("[data-context]", form);
/** What the field is for: a new message, perhaps as a reply; or an edit, with the draft put by. */
let replyTo = null;
let editing = null;
let putBy = "";
let draftTimer = 0;
/** Whether something was typed or chosen that is not kept yet; other tabs keep drafts, too. */
let isTouched = false;
let typedAt = -Infinity;
let suggestions = null;

export const composer = { start, enter, leave, saveDraft, focus: () => field.focus(), reply, edit, cancel };

function start() {
  form.noValidate = true;
  field.removeAttribute("maxlength"); // it would cut a long paste without a word
  form.addEventListener("submit", (event) => (event.preventDefault(), submit()));
  field.addEventListener("keydown", press);
  field.addEventListener("input", changed);
  field.addEventListener("input", offerSuggestions);
  field.addEventListener("paste", paste);
  find("[data-context-close]", context).addEventListener("click", cancel);
  find("[data-emoji-button]", form).addEventListener("click", pickEmoji);
}

/** Another chat was opened: its draft is back. What was typed before the script came joins it. */
function enter() {
  const { text = "", reply: answered = null, edit: edited = null } = outbox.draftOf(store.openId) ?? {};
  isTouched = Boolean(field.value) && field.value !== text;
  const all = isTouched && text ? `${text}\n${field.value}` : field.value || text;
  [replyTo, editing, putBy] = [answered, edited?.message ?? null, edited ? all : ""];
  setText(edited ? edited.text : all);
  showContext();
  if (matchMedia("(pointer: fine)").matches) field.focus({ preventScroll: true });
}

function leave() {
  saveDraft();
  [replyTo, editing, putBy, typedAt] = [null, null, "", -Infinity];
  setText("");
}

const isTooLong = () => [...field.value.trim()].length > MAX_CONTENT;
const isBlank = (text) => BLANK.test(text);
const isTouch = () => matchMedia("(pointer: coarse)").matches;

function press(event) {
  if (isComposing(event) || suggestions?.takes(event)) return;
  if (event.key === "Enter" && sends(event)) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape" && cancel()) event.preventDefault();
  else if (event.key in PAGES && isOneLine()) {
    event.preventDefault();
    timeline.scrollByPage(PAGES[event.key]);
  } else if (event.key === "ArrowUp" && !event.altKey && !field.value && !editing && editLast()) event.preventDefault();
}

/** As it is shown: a long line may be broken. */
function isOneLine() {
  const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(field);
  const height = field.scrollHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
  return height < 1.5 * parseFloat(lineHeight);
}

function sends(event) {
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !event.altKey && !isTouch() && store.me.settings.enter_sends !== false;
}

function submit() {
  const text = field.value.trim();
  if (editing) return saveEdit(text);
  if (isBlank(text) || isTooLong()) return;
  setText("");
  const answered = replyTo;
  replyTo = null;
  isTouched = false;
  showContext();
  clearTimeout(draftTimer);
  reading.clearDivider();
  outbox.add(store.openId, text, answered?.id ?? null);
  reading.toEnd();
  field.focus();
}

function setText(text) {
  field.value = text;
  grow();
  showCount();
  showWhetherSendable();
}

/** The button stays in reach, and says why it does nothing. */
function showWhetherSendable() {
  const send = find(".send", form);
  const reason = isTooLong() ? "Too long to send" : isBlank(field.value) && !editing ? "Write something first" : "";
  send.setAttribute("aria-disabled", String(Boolean(reason)));
  send.title = reason;
}

async function pickEmoji({ currentTarget: button }) {
  const { addEmoji } = await import("./emoji.js");
  addEmoji(button, field);
}

async function offerSuggestions() {
  if (!/[@:]/.test(field.value)) return;
  field.removeEventListener("input", offerSuggestions);
  const { attach } = await import("./suggest.js");
  const people = () => [...store.members.values()].map(({ user }) => user).filter(({ id }) => id !== store.me.id);
  suggestions = attach(field, { people });
}

function changed() {
  grow();
  showCount();
  showWhetherSendable();
  isTouched = true;
  clearTimeout(draftTimer);
  draftTimer = setTimeout(saveDraft, DRAFT_SECONDS * 1000);
  tellTyping();
}

/** An address makes a link of what is selected; rich text becomes text with its marks. */
async function paste(event) {
  const [html, text] = ["text/html", "text/plain"].map((type) => event.clipboardData.getData(type));
  const selected = field.value.slice(field.selectionStart, field.selectionEnd);
  const isLink = Boolean(selected.trim()) && ADDRESS.test(text.trim());
  if (!isLink && !RICH.test(html)) return;
  event.preventDefault();
  if (isLink) return void insertText(`[${selected}](${text.trim()})`);
  const { toMarkdown } = await import("./paste.js").catch(() => ({ toMarkdown: () => text }));
  insertText(toMarkdown(html));
}

/** Others see it for six seconds, or until the message is there. */
function tellTyping() {
  const isWanted = store.me.settings.shows_typing !== false && !editing && !isBlank(field.value);
  if (!isWanted || performance.now() - typedAt < TYPING_SECONDS * 1000) return;
  typedAt = performance.now();
  socket.tell("typing", { chat_id: store.openId });
}

/** Browsers without `field-sizing` need a height. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function showCount() {
  const count = find("[data-count]", form);
  const length = [...field.value.trim()].length;
  count.hidden = length < MAX_CONTENT * COUNT_FROM;
  count.textContent = String(MAX_CONTENT - length);
}

// Drafts

function saveDraft() {
  clearTimeout(draftTimer);
  if (!isTouched || !store.openId) return;
  isTouched = false;
  const text = editing ? putBy : field.value;
  const edited = editing && { message: gist(editing), text: field.value };
  const isEmpty = !text && !replyTo && !edited;
  outbox.setDraft(store.openId, isEmpty ? null : { text, reply: replyTo && gist(replyTo), edit: edited });
}

/** What is needed of a message that is answered or edited, should it not be at hand again. */
function gist({ id, chat_id, seq, sender_id, sender, content }) {
  return { id, chat_id, seq, sender_id, sender, content };
}

function touch() {
  isTouched = true;
  saveDraft();
}

// Replies and edits

function showContext() {
  context.hidden = !replyTo && !editing;
  if (context.hidden) return;
  const message = editing ?? replyTo;
  const name = message.sender?.display_name ?? "Deleted account";
  const head = editing ? "Editing" : `Replying to ${name}`;
  find("use", context).setAttribute("href", editing ? "#i-edit" : "#i-reply");
  find("[data-context-text]", context).textContent = `${head}: ${preview(message.content)}`;
}

function reply(message) {
  if (editing) cancel();
  replyTo = message;
  showContext();
  touch();
  field.focus();
}

function edit(message) {
  if (!editing) putBy = field.value;
  editing = message;
  setText(message.content);
  showContext();
  touch();
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

function editLast() {
  const isMine = (message) => message.sender_id === store.me.id && !message.deleted_at;
  const last = store.room.from(1).findLast(isMine);
  if (last) edit(last);
  return Boolean(last);
}

/** Ends an edit, else a reply. False where there was neither. */
function cancel() {
  if (!editing && !replyTo) return false;
  const text = editing ? putBy : field.value;
  if (!editing) replyTo = null;
  editing = null;
  putBy = "";
  setText(text);
  showContext();
  touch();
  field.focus();
  return true;
}

async function saveEdit(content) {
  const message = editing;
  if (isBlank(content)) {
    cancel();
    const { confirmDelete } = await import("./menu.js");
    return confirmDelete(message);
  }
  if (content !== message.content && !(await sendEdit(message, content))) return;
  if (editing === message) cancel();
}

/** False where it failed: what was typed stays. By REST: a socket may be on its way back. */
async function sendEdit({ chat_id: chat, id }, content) {
  try {
    store.take(await ask("PATCH", `/chats/${chat}/messages/${id}`, { content }));
    return true;
  } catch (error) {
    find("[data-context-text]", context).textContent = `Not saved. ${error.message}`;
    return false;
  }
}
