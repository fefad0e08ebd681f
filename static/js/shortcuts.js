// The sheet of keyboard shortcuts.

import { element } from "./dom.js";
import { anywhere } from "./keyboard.js";
import { icon, keycaps } from "./parts.js";

const GROUPS = {
  Anywhere: [...anywhere, { keys: "Escape", text: "Close, or one step back" }],
  Writing: [
    { keys: "Enter", text: "Send" },
    { keys: "Shift+Enter", text: "New line" },
    { keys: "Mod+Enter", text: "Send, always" },
    { keys: "ArrowUp", text: "Edit your last message" },
    { keys: "@", text: "Mention somebody" },
    { keys: ":", text: "Find an emoji" },
    { keys: "Tab", text: "Take a suggestion" },
  ],
  "On a message": [
    { keys: "ArrowUp", text: "Message before" },
    { keys: "ArrowDown", text: "Message after" },
    { keys: "Enter", text: "Menu" },
    { keys: "R", text: "Reply" },
    { keys: "+", text: "React" },
    { keys: "E", text: "Edit" },
    { keys: "C", text: "Copy text" },
    { keys: "Delete", text: "Delete" },
  ],
};

let sheet = null;

export function open() {
  sheet ??= build();
  sheet.showModal();
}

function build() {
  const closer = element("button", { type: "button", class: "icon-button", "aria-label": "Close" }, icon("close"));
  const title = element("h2", { id: "shortcuts-title" }, "Keyboard shortcuts");
  const head = element("header", { class: "dialog-header" }, title, closer);
  const groups = element("div", { class: "shortcut-groups" }, ...Object.entries(GROUPS).map(groupOf));
  const made = element("dialog", { class: "dialog shortcuts", "aria-labelledby": title.id }, head, groups);
  closer.addEventListener("click", () => made.close());
  made.addEventListener("click", ({ target }) => target === made && made.close());
  document.body.append(made);
  return made;
}

function groupOf([name, shortcuts]) {
  const rows = shortcuts.map(({ keys, text }) => {
    return element("div", {}, element("dt", {}, text), element("dd", {}, keycaps(keys)));
  });
  return element("section", {}, element("h3", {}, name), element("dl", {}, ...rows));
}
