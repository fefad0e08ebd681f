// The end of a chat as it is now, so that it opens at once, and without a connection.

import { keep } from "./keep.js";
import { socket } from "./socket.js";
import { store } from "./store.js";

const MESSAGES = 100;
const ROOMS = 50;

export async function keepRoom(room) {
  const chat = store.chats.get(room.id);
  if (!chat || socket.hasEnded || !room.isFilled || room.hasAfter || room.staleSince !== null) return;
  const messages = room.from(room.last - MESSAGES + 1, room.last);
  await keep.putRoom({ id: room.id, chat, members: [...room.members.values()], messages, kept_at: Date.now() });
  const all = (await keep.rooms()) ?? [];
  const old = all.sort((one, other) => other.kept_at - one.kept_at).slice(ROOMS);
  for (const { id } of old) keep.dropRoom(id);
}
