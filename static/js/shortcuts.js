// The sheet of keyboard shortcuts.

import { element, icon } from "./dom.js";
import { anywhere } from "./keyboard.js";
import { keycaps } from "./parts.js";
import { store } from "./store.js";

const groups = () => ({
  Anywhere: [...anywhere, { keys: "Escape", text: "Close, or one step back" }],
  Writing: [
    ...sending(),
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
    { keys: "L", text: "Copy link" },
    { keys: "U", text: "Mark unread from here" },
    { keys: "Delete", text: "Delete" },
  ],
});

let sheet = null;

function sending() {
  if (store.me.settings.enter_sends === false) {
    return [
      { keys: "Mod+Enter", text: "Send" },
      { keys: "Enter", text: "New line" },
    ];
  }
  return [
    { keys: "Enter", text: "Send" },
    { keys: "Shift+Enter", text: "New line" },
  ];
}

export function open() {
  sheet?.remove();
  sheet = build();
  sheet.showModal();
}

function build() {
  const closer = element("button", { type: "button", class: "icon-button", "aria-label": "Close" }, icon("close"));
  const title = element("h2", { id: "shortcuts-title" }, "Keyboard shortcuts");
  const head = element("header", { class: "dialog-header" }, title, closer);
  const list = element("div", { class: "shortcut-groups" }, ...Object.entries(groups()).map(groupOf));
  const made = element("dialog", { class: "dialog shortcuts", "aria-labelledby": title.id }, head, list);
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
