// Picking people for a new chat: a search that keeps who was picked.

import { avatarOf, element, find, findAll } from "./dom.js";
import { get } from "./socket.js";
import { store } from "./store.js";

const SEARCH_AFTER = 0.2;

const dialog = find("[data-dialog=new-chat]");

export function openDialog() {
  const search = find("[data-find-people]", dialog);
  if (!dialog.dataset.isReady) {
    dialog.dataset.isReady = "";
    enhance(find("[data-new-chat]", dialog), search);
    for (const closer of findAll("[data-close]", dialog)) closer.addEventListener("click", close);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
  dialog.showModal();
  search.focus();
  search.dispatchEvent(new Event("input"));
}

function close(event) {
  event.preventDefault();
  dialog.close();
}

/** A form of people whose button says what it makes; `search` fills it with those found. */
export function enhance(form, search) {
  form.addEventListener("input", () => showPicked(form));
  showPicked(form);
  if (!search) return;
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => showFound(form, search), SEARCH_AFTER * 1000);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) event.preventDefault();
  });
}

async function showFound(form, search) {
  const query = search.value.trim();
  const answer = await get(`/users?search=${encodeURIComponent(query)}`).catch(() => null);
  if (!answer || search.value.trim() !== query) return;
  const picked = findAll("[name=member]:checked", form);
  const ids = new Set([store.me.id, ...picked.map(({ value }) => value)]);
  const found = answer.results.filter(({ id }) => !ids.has(id)).map(personRow);
  const rows = [...picked.map((box) => box.closest(".person")), ...found];
  const none = element("p", { class: "field-help" }, "Nobody found. Try fewer letters.");
  find("[data-people]", form).replaceChildren(...(rows.length ? rows : [none]));
}

function personRow(user) {
  const box = element("input", { type: "checkbox", name: "member", value: user.id });
  const name = element("span", { dir: "auto" }, user.display_name);
  const text = element("span", { class: "person-text" }, name, element("span", {}, `@${user.username}`));
  const avatar = avatarOf(user);
  find(".presence", avatar).remove();
  return element("label", { class: "person" }, box, avatar, text);
}

function showPicked(form) {
  const count = findAll("[name=member]:checked", form).length;
  const isGroup = count > 1 || Boolean(find("[name=name]", form).value.trim());
  find("[data-submit]", form).textContent = isGroup ? "Create group" : "Start chat";
  find("[data-submit]", form).disabled = !count && !isGroup;
  find("[data-picked]", form).textContent = count ? `${count} picked` : "";
}
