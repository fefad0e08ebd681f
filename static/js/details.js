// The details of the open chat: shown beside it or over it, and one's own settings of it.

import { find, findAll } from "./dom.js";
import { ask } from "./socket.js";
import { emit, isMuted, store } from "./store.js";

const WIDE = matchMedia("(min-width: 1200px)");
const FOR_GOOD = "9999-12-31T00:00:00Z";

const panel = find("[data-details]");
let opener = null;

/** Does what a button says. */
export function act(button) {
  if (button.dataset.does === "panel") toggle(button);
  else if (button.dataset.does === "pin") save({ pinned: !store.chat.me.pinned });
  else save({ muted_until: isMuted(store.chat) ? null : FOR_GOOD });
}

async function save(me) {
  const { chat } = store;
  try {
    store.takeMe(chat.id, (await ask("PATCH", `/chats/${chat.id}`, { me })).me);
  } catch (error) {
    emit("failed", `Not changed. ${error.message}`, () => save(me));
  }
}

/** Beside the messages where there is room; else over them, and all else waits. */
function toggle(button) {
  if (WIDE.matches) document.body.classList.toggle("has-no-details");
  else if (panel.classList.contains("is-over")) close();
  else openOver(button);
  if (panel.checkVisibility()) import("./members.js").then(({ members }) => members.show());
}

function openOver(button) {
  opener = button;
  setOver(true);
  find("button", panel).focus();
}

function close() {
  if (!panel.classList.contains("is-over")) return;
  setOver(false);
  opener?.focus();
}

function setOver(isOver) {
  panel.classList.toggle("is-over", isOver);
  document.body.classList.toggle("has-drawer", isOver);
  for (const part of findAll(".sidebar, main, .skip-link")) part.inert = isOver;
  if (isOver) panel.setAttribute("role", "dialog");
  else panel.removeAttribute("role");
  panel.setAttribute("aria-modal", String(isOver));
}

panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !panel.classList.contains("is-over")) return;
  event.stopPropagation();
  close();
});
document.addEventListener("click", ({ target }) => target.contains(document.body) && close());
WIDE.addEventListener("change", close);
store.on("open", () => setOver(false));
