// Picking people for a new chat: chips of who was picked, a list of who was found, keys for both.

import { element, find, findAll, icon, listOf, titleOf } from "./dom.js";
import { isComposing } from "./keyboard.js";
import { enter } from "./members.js";
import { avatarOf } from "./parts.js";
import { ask, get } from "./socket.js";
import { store } from "./store.js";

const SEARCH_AFTER = 0.15;
const MOST_NAMED = 3;
const MOST_SHARED = 2;

const dialog = find("[data-dialog=new-chat]");
const [form, input, to, list, shared] = ["form", "[data-find-people]", "[data-to]", "[data-found]", "[data-shared]"].map((part) => dialog && find(part, dialog));
const picked = new Map();
let found = [];
let foundFor = "";
let pointed = -1;
let timer = 0;
let isBusy = false;

export function openDialog() {
  if (!dialog.dataset.isReady) listen();
  picked.clear();
  form.reset();
  find("[data-error]", dialog).textContent = "";
  showPicked();
  dialog.showModal();
  input.focus();
  search();
}

function listen() {
  dialog.dataset.isReady = "";
  input.addEventListener("input", searchSoon);
  dialog.addEventListener("keydown", pressed);
  form.addEventListener("submit", (event) => (event.preventDefault(), start()));
  dialog.addEventListener("click", clicked);
  list.addEventListener("pointermove", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) point([...list.children].indexOf(option));
  });
}

function clicked(event) {
  const { target } = event;
  const option = target.closest("[role=option]");
  if (target === dialog) return dialog.close();
  if (target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  } else if (target.closest("a[href^='/c/']")) dialog.close();
  else if (target.closest("[data-unpick]")) unpick(target.closest("[data-unpick]").dataset.unpick);
  else if (option) pick(found[[...list.children].indexOf(option)]);
  else if (target === to) input.focus();
}

/** A form on a page of its own, without a search: its button says what it makes. */
export function enhance(page) {
  const name = find("[name=name]", page);
  const show = () => {
    const count = findAll("[name=member]:checked", page).length;
    const isGroup = count > 1 || Boolean(name.value.trim());
    find("[data-submit]", page).textContent = isGroup ? "Create group" : "Start chat";
    find("[data-submit]", page).disabled = !count && !isGroup;
    find("[data-picked]", page).textContent = count ? `${count} picked` : "";
  };
  page.addEventListener("input", show);
  show();
}

// Who is found

function searchSoon() {
  clearTimeout(timer);
  timer = setTimeout(search, SEARCH_AFTER * 1000);
}

async function search() {
  const letters = input.value.trim();
  const answer = await get(`/users?search=${encodeURIComponent(letters)}`).catch(() => null);
  if (input.value.trim() !== letters) return;
  foundFor = letters;
  found = (answer?.results ?? []).filter(({ id }) => id !== store.me.id && !picked.has(id));
  list.replaceChildren(...found.map(option));
  const none = letters ? `Nobody found for “${letters}”. Try fewer letters.` : "Nobody else is here yet.";
  find("[data-none]", dialog).textContent = answer ? (found.length || (picked.size && !letters) ? "" : none) : "People can't be looked up while you're offline.";
  point(letters && found.length ? 0 : -1);
}

function option(user, index) {
  const text = element("span", { class: "person-text" }, element("span", {}, user.display_name), element("span", {}, `@${user.username}`));
  const ring = element("span", { class: "person-ring", "aria-hidden": "true" });
  return element("div", { class: "person", role: "option", id: `found-${index}`, "aria-selected": "false" }, avatarOf(user), text, ring);
}

function point(index) {
  pointed = index;
  const options = [...list.children];
  options.forEach((one, at) => one.setAttribute("aria-selected", String(at === index)));
  if (index < 0) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", options[index].id);
  options[index].scrollIntoView({ block: "nearest" });
}

// Who is picked

function pick(user) {
  picked.set(user.id, user);
  input.value = "";
  point(-1);
  changed();
}

function unpick(id) {
  picked.delete(id);
  changed();
}

function changed() {
  showPicked();
  input.focus();
  search();
}

function showPicked() {
  const people = [...picked.values()];
  for (const chip of findAll(".to-chip", to)) chip.remove();
  input.before(...people.map(chip));
  input.placeholder = people.length ? "" : "Name or username";
  const isGroup = people.length > 1;
  find("[data-name]", dialog).hidden = !isGroup;
  form.elements.name.placeholder = isGroup ? nameOf(people) : "";
  find("[data-picked]", dialog).textContent = isGroup ? `${people.length} people and you` : "";
  const submit = find("[data-submit]", dialog);
  submit.textContent = isGroup ? "Create group" : directWith(people[0]) ? "Open chat" : "Start chat";
  submit.disabled = !people.length;
  showShared(people);
}

function chip(user) {
  const remove = element("button", { type: "button", "data-unpick": user.id, "aria-label": `Remove ${user.display_name}` }, icon("close"));
  const avatar = avatarOf(user, "tiny");
  find(".presence", avatar).remove();
  return element("span", { class: "to-chip" }, avatar, element("bdi", {}, user.display_name), remove);
}

const directWith = (user) => [...store.chats.values()].find(({ peer }) => peer && peer.id === user?.id);

/** "Ana, Ben and Cleo": what a group is called that nobody named. */
function nameOf(people) {
  const names = people.slice(0, MOST_NAMED).map(({ display_name: name }) => name.split(/\s/)[0]);
  if (people.length > MOST_NAMED) names.push(`${people.length - MOST_NAMED} more`);
  return listOf(names).slice(0, 100);
}

/** Chats that there are already come first. */
async function showShared(people) {
  const ids = people.map(({ id }) => id);
  const isSame = () => ids.join() === [...picked.keys()].join();
  const direct = people.length === 1 && directWith(people[0]);
  const chats = direct ? [direct] : people.length > 1 ? await groupsWith(ids) : [];
  if (!isSame()) return;
  shared.hidden = !chats.length;
  const title = direct ? "You already have a chat" : "You already share a group";
  shared.replaceChildren(element("h3", { class: "section-label" }, title), ...chats.map((chat) => sharedRow(chat)));
}

async function groupsWith(ids) {
  const answer = await get(`/chats?with=${ids.slice(0, 20).join()}`).catch(() => null);
  return (answer?.results ?? []).filter(({ type }) => type === "group").slice(0, MOST_SHARED);
}

function sharedRow(chat) {
  const title = titleOf(chat);
  const more = chat.peer ? `@${chat.peer.username}` : `${chat.member_count} members, with everyone you picked`;
  const avatar = avatarOf(chat.peer ?? { id: chat.id, display_name: title });
  if (!chat.peer) find(".presence", avatar).remove();
  const text = element("span", { class: "person-text" }, element("span", {}, title), element("span", {}, more));
  const open = element("a", { class: "button", href: `/c/${chat.id}`, "aria-label": `Open ${title}` }, "Open");
  return element("div", { class: "person is-shared" }, avatar, text, open);
}

// Keys and starting

/** What is typed has not been looked for yet. */
const isBehind = () => Boolean(input.value.trim()) && input.value.trim() !== foundFor;

function pressed(event) {
  if (isComposing(event) || event.target !== input) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) point((pointed + step + found.length + (pointed < 0 && step < 0 ? 1 : 0)) % found.length);
  else if (event.key === "Enter" && isBehind()) search().then(() => pointed >= 0 && pick(found[pointed]));
  else if (event.key === "Enter" && pointed >= 0 && !event.ctrlKey && !event.metaKey) pick(found[pointed]);
  else if (event.key === "Enter") start();
  else if (event.key === "Backspace" && !input.value && picked.size) unpick([...picked.keys()].at(-1));
  else return;
  event.preventDefault();
}

async function start() {
  const people = [...picked.values()];
  if (!people.length || isBusy) return;
  isBusy = true;
  const group = { type: "group", name: form.elements.name.value.trim() || nameOf(people) };
  const kind = people.length > 1 ? group : { type: "direct" };
  try {
    const chat = (people.length === 1 && directWith(people[0])) || (await ask("POST", "/chats", { ...kind, members: people.map(({ id }) => id) }));
    dialog.close();
    enter(chat.id);
  } catch (error) {
    find("[data-error]", dialog).textContent = `Not started. ${error.message}`;
  }
  isBusy = false;
}
