// Starts the page: what is on it decides what runs.

import { composer } from "./composer.js";
import { find } from "./dom.js";
import { follow } from "./events.js";
import { keyboard } from "./keyboard.js";
import { outbox } from "./outbox.js";
import { sidebar } from "./sidebar.js";
import { socket } from "./socket.js";
import { store } from "./store.js";
import { timeline } from "./timeline.js";

const BANNER_AFTER = 3;
const BACK_FOR = 1.5;
const OFFLINE = "You're offline. Messages will send when you're back.";

follow();
outbox.start();
if (store.openId) {
  timeline.start();
  composer.start();
  import("./menu.js").then(({ menu }) => menu.start());
}
sidebar.start();
keyboard.start();
import("./reading.js").then(({ reading }) => reading.start());
if (find("[data-confirms]")) import("./entrance.js");
const picker = find("main [data-new-chat]");
if (picker) import("./people.js").then(({ enhance }) => enhance(picker));
document.addEventListener("click", openNewChat);
store.on("closed", () => location.assign("/"));
watchConnection();
socket.start();

function openNewChat(event) {
  const opener = event.target.closest("[data-opens=new-chat]");
  if (!opener || !find("[data-dialog=new-chat]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./people.js").then(({ openDialog }) => openDialog());
}

/** Says nothing of an absence of less than three seconds. */
function watchConnection() {
  let timer = setTimeout(showAway, BANNER_AFTER * 1000);
  socket.on("down", () => {
    timer = setTimeout(showAway, BANNER_AFTER * 1000);
  });
  socket.on("up", () => {
    clearTimeout(timer);
    if (document.body.classList.contains("is-offline")) showBack();
  });
  addEventListener("offline", () => document.body.classList.contains("is-offline") && showAway());
}

function showAway() {
  document.body.classList.add("is-offline");
  say(navigator.onLine ? "Reconnecting…" : OFFLINE);
}

function showBack() {
  document.body.classList.remove("is-offline");
  say("Back online");
  setTimeout(() => document.body.classList.contains("is-offline") || say(""), BACK_FOR * 1000);
}

function say(text) {
  const banner = find("[data-banner]");
  if (banner) {
    banner.textContent = text;
    banner.hidden = !text;
  }
  find("[data-connection]").textContent = text || `@${store.me.username}`;
}
