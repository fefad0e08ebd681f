// What one can do inside a row: copy its code, unfold it, see who reacted.

import { clockTime, element, find, listOf, preview } from "./dom.js";
import { get } from "./socket.js";
import { emit, store } from "./store.js";
import { timeline } from "./timeline.js";

const COPIED_SECONDS = 2;
const TIP_AFTER = 0.3;
const GAP = 6;
const MOST_NAMED = 10;

const tip = element("div", { class: "tip", popover: "manual", role: "tooltip" });
let timer = 0;

/** Each takes the button that was pressed. */
export const rowActs = {
  "copy-code": copyCode,
  unfold,
  "all-reactions": (button) => button.closest(".reactions").classList.add("is-open"),
};

/** Says that it was done, where there is something to say. */
export async function copy(text, said) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text).catch(() => copyBySelection(text));
  else copyBySelection(text);
  if (said) emit("done", said);
}

/** On plain http there is no other clipboard; below a dialog nothing can be selected. */
function copyBySelection(text) {
  const was = document.activeElement;
  const field = element("textarea", { class: "visually-hidden" });
  field.value = text;
  (find("dialog[open]") ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  was?.focus({ preventScroll: true });
}

async function copyCode(button) {
  await copy(find("code", button.closest(".code")).textContent);
  const name = find("span", button);
  name.textContent = "Copied";
  find("[data-announcer]").textContent = "Copied";
  setTimeout(() => (name.textContent = "Copy"), COPIED_SECONDS * 1000);
}

/** What stands above stays where it is, the end or not. */
function unfold(button) {
  const row = button.closest(".message");
  const isFolded = row.classList.toggle("is-folded");
  button.textContent = isFolded ? "Show more" : "Show less";
  button.setAttribute("aria-expanded", String(!isFolded));
  if (isFolded) row.scrollIntoView({ block: "nearest" });
  emit("held", row);
}

/** What a screen reader says of a row that has the focus. */
export function describeRow(row, message) {
  const text = message.deleted_at ? "Message deleted" : preview(message.content, 200);
  const reactions = message.reactions.length ? `${message.reactions.length} reactions` : "";
  const edited = message.edited_at ? "edited" : "";
  const said = [message.sender?.display_name, clockTime(message.created_at), text, reactions, edited];
  row.setAttribute("aria-label", said.filter(Boolean).join(", "));
}

// Who reacted

export function watchChips() {
  document.body.append(tip);
  for (const type of ["pointerover", "focusin"]) timeline.list.addEventListener(type, offerTip);
  for (const type of ["pointerout", "focusout"]) timeline.list.addEventListener(type, hideTip);
  timeline.region.addEventListener("scroll", hideTip, { passive: true });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hideTip());
}

function offerTip({ target, pointerType }) {
  const chip = target.closest("[data-emoji]");
  if (!chip || pointerType === "touch") return;
  clearTimeout(timer);
  timer = setTimeout(() => showTip(chip), TIP_AFTER * 1000);
}

function hideTip() {
  clearTimeout(timer);
  if (tip.matches(":popover-open")) tip.hidePopover();
}

async function showTip(chip) {
  const message = timeline.messageOf(chip.closest(".message"));
  const reaction = message?.reactions.find(({ emoji }) => emoji === chip.dataset.emoji);
  if (!reaction) return;
  const names = await namesOf(reaction.user_ids);
  const isLeft = !chip.isConnected || !chip.matches(":hover, :focus");
  chip.setAttribute("aria-label", `${reaction.emoji} ${reaction.user_ids.length}: ${names}`);
  if (isLeft) return;
  tip.textContent = names;
  tip.showPopover();
  const { left, top, width } = chip.getBoundingClientRect();
  const wanted = left + width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(GAP, Math.min(wanted, innerWidth - tip.offsetWidth - GAP))}px`;
  tip.style.top = `${top - tip.offsetHeight - GAP}px`;
}

/** "Ana, Ben and you". */
async function namesOf(ids) {
  const others = ids.filter((id) => id !== store.me.id);
  const names = await Promise.all(others.slice(0, MOST_NAMED).map(nameOf));
  if (others.length > MOST_NAMED) names.push(`${others.length - MOST_NAMED} more`);
  return listOf(others.length < ids.length ? [...names, "you"] : names);
}

async function nameOf(id) {
  if (store.names.has(id)) return store.names.get(id);
  const user = await get(`/users/${id}`).catch(() => null);
  store.names.set(id, user?.display_name ?? "Somebody");
  return store.names.get(id);
}
