// What one chooses in another tab holds here at once; what on another device, with the next connection.

import { pageData } from "./dom.js";
import { hear, wear } from "./look.js";
import { emit, store } from "./store.js";

let worn = JSON.stringify(pageData("me").settings);

export function start() {
  store.on("own", hold);
  hear((settings) => hold(Object.assign(store.me, { settings })));
  hold(store.me);
}

function hold({ settings }) {
  const now = JSON.stringify(settings);
  if (now === worn) return;
  worn = now;
  wear(settings);
  emit("members"); // who has read what may be shown now, or not any more
}
