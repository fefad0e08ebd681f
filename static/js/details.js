// The details of the open chat: shown beside it or over it, and one's own settings of it.

import { find } from "./dom.js";
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
    emit("failed", `Not changed. ${error.message}`);
  }
}

/** Beside the messages where there is room, else over them. */
function toggle(button) {
  if (WIDE.matches) document.body.classList.toggle("has-no-details");
  else if (panel.classList.toggle("is-over")) openOver(button);
  else opener?.focus();
}

function openOver(button) {
  opener = button;
  find("button", panel).focus();
}

panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !panel.classList.contains("is-over")) return;
  event.stopPropagation();
  panel.classList.remove("is-over");
  opener?.focus();
});
store.on("open", () => panel.classList.remove("is-over"));
