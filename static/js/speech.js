// What a screen reader is told of messages that come.

import { find, listOf, preview } from "./dom.js";
import { isWatched } from "./reading.js";
import { store } from "./store.js";

const SPEAK_SECONDS = 2;
const MOST_SPOKEN = 3;

let unspoken = [];
let speakTimer = 0;

export const speech = { start };

function start() {
  store.on("arrived", hear);
}

function hear(message) {
  if (!isWatched() || !message.sender || message.sender_id === store.me.id || !isWanted(message)) return;
  unspoken.push(message);
  if (unspoken.length < MOST_SPOKEN) speak(sentence(message));
  clearTimeout(speakTimer);
  speakTimer = setTimeout(speakRest, SPEAK_SECONDS * 1000);
}

function isWanted({ mentions }) {
  const { announces } = store.me.settings;
  return announces !== "off" && (announces !== "mentions" || mentions.includes(store.me.id));
}

const sentence = ({ sender, content }) => `${sender.display_name}: ${preview(content, 200)}`;

function speakRest() {
  const names = [...new Set(unspoken.map(({ sender }) => sender.display_name))];
  if (unspoken.length >= MOST_SPOKEN) speak(`${unspoken.length} new messages from ${listOf(names)}`);
  unspoken = [];
}

function speak(text) {
  find("[data-announcer]").textContent = text;
}
