// What makes the page open without a connection, and how a newer version of it comes.

import { element, find, workerUrl } from "./dom.js";
import { socket } from "./socket.js";
import { timeline } from "./timeline.js";

/** The modules that are loaded when they are needed: by then there may be no connection. */
const LATER = "ages banner chosen details earlier emoji emojis forget format kept look members menu palette parts paste people receipts rows shortcuts suggest unsent".split(" ");

const NEAR = 64;
const TAKEN_WITHIN = 3;

let registration = null;
let pill = null;

export async function start() {
  registration = (await navigator.serviceWorker?.register(workerUrl()).catch(() => null)) ?? null;
  if (!registration) return loadLater();
  if (registration.waiting) offer();
  registration.addEventListener("updatefound", () => watch(registration.installing));
  socket.on("up", () => registration.update().catch(() => {}));
  document.addEventListener("visibilitychange", () => pill && isIdle() && reload());
}

/** Where there is no worker, on plain http for one. */
function loadLater() {
  for (const name of LATER) {
    document.head.append(element("link", { rel: "modulepreload", href: new URL(`${name}.js`, import.meta.url) }));
  }
}

/** The first worker of all is no news. */
function watch(worker) {
  worker.addEventListener("statechange", () => worker.state === "installed" && navigator.serviceWorker.controller && offer());
}

function offer() {
  if (pill) return;
  pill = element("button", { type: "button", class: "pill is-update" }, "Update ready · Reload");
  pill.addEventListener("click", reload);
  find("[data-toasts]").before(pill);
}

/** Nobody looks, nothing is being written, and the reload will end where the page is now. */
function isIdle() {
  const isWriting = find("[data-composer] textarea")?.value || find("dialog[open]");
  return document.hidden && timeline.region && isAtEnd(timeline.region) && !isWriting;
}

const isAtEnd = (region) => region.scrollHeight - region.clientHeight - region.scrollTop <= NEAR;

/** Once the new worker is in charge: else the page that comes would be offered the same again. */
async function reload() {
  const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
  const late = new Promise((resolve) => setTimeout(resolve, TAKEN_WITHIN * 1000));
  registration.waiting?.postMessage("activate");
  await Promise.race([taken, late]);
  location.reload();
}
