// Times that change while nothing happens: "now" becomes a time of day, and today yesterday.

import { dayOf, findAll, setAge } from "./dom.js";
import { emit } from "./store.js";

const STEP_SECONDS = 10;

let day = dayOf(new Date());

export function start() {
  setInterval(look, STEP_SECONDS * 1000);
  document.addEventListener("visibilitychange", look);
}

function look() {
  if (document.hidden) return;
  if (day !== dayOf(new Date())) renew();
  for (const time of findAll(".chat-row-time")) if (time.textContent === "now") setAge(time, time.dateTime);
}

function renew() {
  day = dayOf(new Date());
  for (const all of ["chats", "messages"]) emit(all);
}
