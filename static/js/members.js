// The members of the open chat by presence, and the card of a person.

import { element, find, findAll, icon, presenceWords, titleOf } from "./dom.js";
import { avatarOf, fold, loadAllMembers, place, rank } from "./parts.js";
import { ask, get } from "./socket.js";
import { emit, store } from "./store.js";

const SEARCH_FROM = 20;
const MOST_SHOWN = 12;
const MOST_COMMON = 5;
const PHONE = matchMedia("(max-width: 799px)");

const list = find("[data-members]");
const search = element("input", { type: "search", placeholder: "Find a member", "aria-label": "Find a member", autocomplete: "off" });
const searchBox = element("div", { class: "search-box" }, icon("search"), search);
let isWhole = false;

export const members = { show };

search.addEventListener("input", show);
search.addEventListener("focus", widen);
store.on("open", () => {
  isWhole = false;
  search.value = "";
});

function show() {
  const all = [...store.members.values()];
  const letters = fold(search.value.trim());
  const isLong = all.length > SEARCH_FROM;
  if (isLong && !searchBox.isConnected) list.before(searchBox);
  if (!isLong) searchBox.remove();
  const found = isLong && letters ? all.filter(({ user }) => answers(user, letters)) : all;
  const held = document.activeElement.closest?.("[data-card]")?.dataset.card;
  list.replaceChildren(...groups(found, isWhole || Boolean(letters)));
  if (held) find(`[data-card="${held}"]`, list)?.focus({ preventScroll: true });
}

async function widen() {
  if (await loadAllMembers()) show();
}

const answers = (user, letters) => rank(user.display_name, letters) >= 0 || rank(user.username, letters) >= 0;

function groups(found, isAll) {
  const byName = (one, other) => one.user.display_name.localeCompare(other.user.display_name);
  const online = found.filter(({ user }) => user.is_online).sort(byName);
  const others = found.filter(({ user }) => !user.is_online).sort(byName);
  const left = isAll ? Infinity : MOST_SHOWN;
  const made = [...group("Online", online, left), ...group("Offline", others, left - online.length)];
  if (!found.length) made.push(element("p", { class: "field-help" }, "Nobody found. Try fewer letters."));
  if (!isAll && found.length > MOST_SHOWN) made.push(showAll());
  return made;
}

function group(name, people, most) {
  const shown = people.slice(0, Math.max(0, most));
  if (!shown.length) return [];
  const title = store.room.hasAllMembers ? `${name} · ${people.length}` : name;
  const head = element("h4", { class: "member-group" }, title);
  return [head, element("ul", { class: "member-list" }, ...shown.map(memberRow))];
}

function showAll() {
  const button = element("button", { type: "button", class: "button is-quiet is-small" }, `Show all ${store.chat.member_count}`);
  button.addEventListener("click", () => {
    isWhole = true;
    show();
    widen();
    findAll("[data-card]", list)[MOST_SHOWN]?.focus();
  });
  return button;
}

/** As templates/chats/_member.html has it. */
function memberRow({ user, role }) {
  const name = element("span", { class: "member-name" }, user.display_name);
  const link = element("a", { class: "member-link", href: `/new?member=${user.id}`, "data-card": user.id }, avatarOf(user, "small"), name);
  const you = user.id === store.me.id ? "You" : "";
  const chip = role === "member" ? you : role[0].toUpperCase() + role.slice(1);
  if (chip) link.append(element("span", { class: "chip" }, chip));
  return element("li", { class: "member", "data-user-id": user.id }, link);
}

// A person's card: beside what opened it, or a sheet on a phone

const card = element("div", { class: "person-card", popover: "auto", role: "dialog", "aria-labelledby": "card-name" });
document.body.append(card);

let opener = null;
PHONE.addEventListener("change", () => card.matches(":popover-open") && settle());

/** Where nothing has taken the focus it goes back; the list may have been made anew since. */
card.addEventListener("toggle", ({ newState }) => {
  const isLost = document.activeElement === document.body || card.contains(document.activeElement);
  if (newState === "open" || !isLost) return;
  const again = find(`[data-card="${opener.dataset.card}"]`, list);
  (opener.closest(".message") ?? (opener.isConnected ? opener : again))?.focus({ preventScroll: true });
});

export async function openCard(target, id) {
  opener = target.closest("[data-card]") ?? target;
  const user = store.members.get(id)?.user ?? (await get(`/users/${id}`).catch(() => null));
  const common = element("div", { class: "card-common" });
  card.replaceChildren(...(user ? face(user) : gone()), common);
  card.showPopover();
  settle();
  (find("button, a", card) ?? card).focus();
  if (user && id !== store.me.id) await showCommon(common, id);
  settle();
}

function settle() {
  if (PHONE.matches || !opener.checkVisibility()) card.removeAttribute("style");
  else place(card, opener.getBoundingClientRect());
}

function face(user) {
  const name = element("h3", { id: "card-name", dir: "auto" }, user.display_name);
  const handle = element("p", {}, `@${user.username}`);
  const act = element("a", { class: "button is-primary", href: "/settings" }, "Your settings");
  const parts = [avatarOf(user, "large"), name, handle, element("p", { class: "card-presence" }, user.is_bot ? "Bot" : presenceWords(user))];
  return [...parts, user.id === store.me.id ? act : messageButton(user)];
}

function gone() {
  const name = element("h3", { id: "card-name" }, "Deactivated account");
  return [name, element("p", {}, "What was said stays. Nobody can write to this account.")];
}

function messageButton({ id }) {
  const button = element("button", { type: "button", class: "button is-primary" }, icon("chat"), "Message");
  button.addEventListener("click", () => {
    card.hidePopover();
    openDirect(id).catch((error) => emit("failed", `Not opened. ${error.message}`));
  });
  return button;
}

/** The direct chat with somebody, made where there is none. */
async function openDirect(id) {
  const known = [...store.chats.values()].find(({ peer }) => peer?.id === id);
  const chat = known ?? (await ask("POST", "/chats", { type: "direct", members: [id] }));
  enter(chat.id);
}

/** Goes to a chat once the page knows it: then nothing has to be loaded again. */
export async function enter(id) {
  for (let tries = 0; !store.chats.has(id) && tries < 20; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  location.assign(`/c/${id}`);
}

async function showCommon(common, id) {
  const answer = await get(`/chats?with=${id}`).catch(() => null);
  const groupsOf = answer?.results.filter(({ type }) => type === "group").slice(0, MOST_COMMON) ?? [];
  if (!groupsOf.length) return;
  const link = (chat) => element("a", { class: "member-link", href: `/c/${chat.id}` }, avatarOf({ id: chat.id, display_name: titleOf(chat) }, "small"), element("span", { class: "member-name" }, titleOf(chat)));
  const title = element("h4", { class: "member-group" }, "Groups you share");
  common.replaceChildren(title, ...groupsOf.map(link));
  for (const dot of findAll(".presence", common)) dot.remove();
  for (const anchor of findAll("a", common)) anchor.addEventListener("click", () => card.hidePopover());
}
