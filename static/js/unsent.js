// What was written in chats that one is no longer in: to be copied, or deleted.

import { element, find } from "./dom.js";
import { outbox } from "./keep.js";
import { copy } from "./rows.js";
import { store } from "./store.js";

let dialog = null;

export function open() {
  dialog ??= make();
  render();
  dialog.showModal();
}

function make() {
  const close = element("button", { type: "button", class: "button", "data-close": "" }, "Close");
  const title = element("h2", { id: "unsent-title" }, "Not sent");
  const made = element("dialog", { class: "dialog", "aria-labelledby": title.id }, title);
  made.append(element("div", { "data-unsent": "" }), element("p", { class: "dialog-buttons" }, close));
  made.addEventListener("click", ({ target }) => (target === made || target === close) && made.close());
  for (const type of ["change", "drafts"]) outbox.on(type, () => made.open && render());
  store.on("chats", () => made.open && render());
  document.body.append(made);
  return made;
}

function render() {
  const parts = outbox.stranded().map(part);
  find("[data-unsent]", dialog).replaceChildren(...parts);
  if (!parts.length) dialog.close();
}

function part({ client_id: id, chat_id: chatId, title, content, text, reason }) {
  const written = content ?? text;
  const state = id ? (reason ?? "Waiting to send.") : "A draft.";
  const about = element("p", {}, element("strong", { dir: "auto" }, title || "A chat that is gone"), ` · ${state}`);
  const buttons = element("p", { class: "dialog-buttons" });
  const remove = () => (id ? outbox.remove(id) : outbox.setDraft(chatId, null));
  buttons.append(button("Delete", "is-quiet", remove), button("Copy", "", ({ target }) => copyOf(written, target)));
  return element("article", { class: "unsent" }, about, element("blockquote", { dir: "auto" }, written), buttons);
}

function button(name, look, act) {
  const made = element("button", { type: "button", class: `button is-small ${look}` }, name);
  made.addEventListener("click", act);
  return made;
}

async function copyOf(text, target) {
  await copy(text);
  target.textContent = "Copied";
}
