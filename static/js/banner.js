// Tells of the connection, where it is away for long; and of what was done or came to nothing.

import { clone, find, set, slot } from "./dom.js";
import { socket } from "./socket.js";
import { store } from "./store.js";

const BANNER_AFTER = 3;
const BACK_FOR = 1.5;
const COUNTED_FROM = 5;
const OFFLINE = "You're offline. Messages will send when you're back.";
const UNREACHED = "We couldn't reach the server.";
const SIGNED_OUT = "You're signed out. What you write is kept.";

/** Says nothing of an absence of less than three seconds. */
export function start() {
  let awayFrom = performance.now();
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    if (socket.isUp) return;
    const isLong = performance.now() - awayFrom >= BANNER_AFTER * 1000;
    if (isLong || socket.hasEnded) showAway();
    timer = setTimeout(look, 500);
  };
  socket.on("down", () => (awayFrom = performance.now()));
  for (const type of ["down", "ended"]) socket.on(type, look);
  socket.on("ended", askToSignIn);
  socket.on("up", () => document.body.classList.contains("is-offline") && showBack());
  find("[data-try-now]")?.addEventListener("click", () => (socket.hasEnded ? askToSignIn() : socket.tryNow(), look()));
  if (socket.hasEnded) askToSignIn();
  look();
}

/** What was typed stays in this browser; signing in comes back here. */
function askToSignIn() {
  const dialog = find("[data-dialog=signed-out]");
  const here = location.pathname + location.search;
  const address = `/login?next=${encodeURIComponent(here)}`;
  if (!dialog) return location.assign(address);
  find("a", dialog).href = address;
  if (!dialog.open) dialog.showModal();
}

function showAway() {
  document.body.classList.add("is-offline");
  const wait = Math.ceil(socket.secondsUntilRetry);
  if (socket.hasEnded) tell(SIGNED_OUT, { short: "Signed out", button: "Sign in" });
  else if (!navigator.onLine) tell(OFFLINE, { short: "Offline", button: "Try now" });
  else if (wait >= COUNTED_FROM || isCounting()) tell(UNREACHED, { short: "Offline", button: "Try now", wait });
  else tell("Reconnecting…");
}

/** What counts seconds goes on to, until they are over. */
const isCounting = () => find("[data-banner-text]")?.textContent === UNREACHED && socket.secondsUntilRetry > 0;

function showBack() {
  document.body.classList.remove("is-offline");
  const dialog = find("[data-dialog=signed-out]");
  if (dialog?.open) dialog.close();
  tell("Back online", { isGood: true });
  setTimeout(() => document.body.classList.contains("is-offline") || tell(""), BACK_FOR * 1000);
}

function tell(text, { short = text, button = "", wait = 0, isGood = false } = {}) {
  const banner = find("[data-banner]");
  if (!banner) return;
  banner.hidden = !text;
  banner.classList.toggle("is-ok", isGood);
  set(find("[data-banner-text]", banner), "textContent", text);
  set(find("[data-banner-wait]", banner), "textContent", wait ? `Trying again in ${wait} s.` : "");
  set(find("[data-try-now]", banner), "textContent", button);
  find("[data-try-now]", banner).hidden = !button;
  set(find("[data-connection]"), "textContent", short || `@${store.me.username}`);
}

/** One at a time. `again` is what to do where the reader asks for it. */
export function say(text, again, isGood = false) {
  const toast = clone("toast");
  toast.classList.toggle("is-error", !isGood);
  slot(toast, "text").textContent = text;
  const [retry, close] = [find("[data-again]", toast), find("[data-close-toast]", toast)];
  close.hidden = false;
  retry.hidden = !again;
  close.addEventListener("click", () => toast.remove());
  retry.addEventListener("click", () => (toast.remove(), again()));
  find("[data-toasts]").replaceChildren(toast);
}
