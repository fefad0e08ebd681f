// Times that change while nothing happens: "now" becomes a time of day, and today yesterday. And
// what they are in full, where somebody points at one or goes to its message by keys.

import { dayOf, findAll, fullMoment, setAge, slot } from "./dom.js";
import { emit } from "./store.js";

const STEP_SECONDS = 10;

let day = dayOf(new Date());

export function start() {
  setInterval(look, STEP_SECONDS * 1000);
  document.addEventListener("visibilitychange", look);
  for (const type of ["pointerover", "focusin"]) document.addEventListener(type, sayInFull);
  sayInFull({ target: document.activeElement ?? document.body }); // this comes after the page
}

/** Of a thousand times on a page hardly one is asked for: to write all of them out would slow its start. */
function sayInFull({ target }) {
  const time = target.closest("time:not([data-day])") ?? (target.matches(".message") && slot(target, "time"));
  if (time) time.title = fullMoment(time.dateTime);
}

function look() {
  if (document.hidden) return;
  if (day !== dayOf(new Date())) renew();
  for (const time of findAll(".chat-row-time")) if (time.textContent === "now") setAge(time, time.dateTime);
}

function renew() {
  day = dayOf(new Date());
  for (const time of findAll(".chat-row-time")) setAge(time, time.dateTime);
  for (const all of ["chats", "messages"]) emit(all);
}
