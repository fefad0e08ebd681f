// Finds a message that is not held, by its id.

import { get } from "./socket.js";
import { store } from "./store.js";

/** By halves: ids rise with seq. Null where there is none. */
export async function lookUp(room, id) {
  let [low, high] = [1, store.chats.get(room.id).last_seq];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const { results } = await get(`/chats/${room.id}/messages?around=${middle}`);
    const found = results.find((message) => message.id === id);
    if (found || !results.length) return found ?? null;
    if (id < results[0].id) high = results[0].seq - 1;
    else if (id > results.at(-1).id) low = results.at(-1).seq + 1;
    else return null;
  }
  return null;
}
