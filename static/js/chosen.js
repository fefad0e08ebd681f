// What one chooses in another tab holds here at once; what on another device, with the next connection.

import { hear, wear } from "./look.js";
import { emit, store } from "./store.js";

export function start() {
  store.on("own", hold);
  hear((settings) => hold(Object.assign(store.me, { settings })));
  hold(store.me);
}

function hold({ settings }) {
  wear(settings);
  emit("members"); // who has read what may be shown now, or not any more
}
