// What the field offers while one types: people after `@`, emoji after `:`.

import { element } from "./dom.js";
import { loadEmojis, searchEmojis, tones } from "./emojis.js";
import { insertText } from "./keyboard.js";
import { avatarOf, fold, keycaps, loadAllMembers, marked, rank } from "./parts.js";
import { store } from "./store.js";

const MOST_SHOWN = 6;
const GAP = 6;
const PERSON = /(?:^|\s)@([\p{L}\p{N}\p{M}_.-]{0,32})$/u;
const EMOJI = /(?:^|\s):([\p{L}\p{N}_+-]{2,32})$/u;

/** `people()` names those who may be mentioned. One list follows one field. */
export function attach(field, { people }) {
  const list = element("div", { class: "suggestions", id: "suggestions", role: "listbox", popover: "manual" });
  field.form.append(list);
  field.setAttribute("aria-autocomplete", "list");
  let items = [];
  let at = 0;
  let shownFor = "";
  /** Where the word begins whose suggestions were sent away. */
  let refused = -1;

  const isOpen = () => items.length > 0;

  async function update() {
    const word = wordBefore(field);
    if (word?.start !== refused) refused = -1;
    if (!word || refused === word.start) return close();
    if (isOpen() && shownFor === word.letters) return;
    shownFor = word.letters;
    if (word.kind === "person") widen();
    show(word.kind === "person" ? peopleFor(people(), word.letters) : await emojiFor(word.letters));
  }

  async function widen() {
    if (await loadAllMembers()) (shownFor = null), update();
  }

  function show(found) {
    // The emoji may have come when the word was over.
    if (found.length && !wordBefore(field)) return close();
    items = found;
    if (!isOpen()) return close();
    at = 0;
    list.replaceChildren(...items.map(({ row }, index) => (Object.assign(row, { id: `suggestion-${index}` }), row)));
    list.setAttribute("aria-label", items[0].kind === "person" ? "People" : "Emoji");
    list.showPopover();
    stand();
    point();
  }

  /** Above the field's frame, as wide as it. */
  function stand() {
    const frame = field.form.getBoundingClientRect();
    list.style.left = `${frame.left}px`;
    list.style.width = `${frame.width}px`;
    list.style.bottom = `${innerHeight - frame.top + GAP}px`;
    list.style.maxHeight = `${frame.top - 2 * GAP}px`;
  }

  function point() {
    items.forEach(({ row }, index) => row.setAttribute("aria-selected", index === at));
    items[at].row.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-activedescendant", items[at].row.id);
  }

  function close() {
    items = [];
    if (list.matches(":popover-open")) list.hidePopover();
    field.removeAttribute("aria-controls");
    field.removeAttribute("aria-activedescendant");
  }

  function accept(index) {
    const { text } = items[index];
    const word = wordBefore(field);
    close();
    if (!word) return;
    field.setSelectionRange(word.start, field.selectionStart);
    insertText(`${text} `);
  }

  function refuse() {
    refused = wordBefore(field)?.start ?? -1;
    close();
  }

  function move(step) {
    at = (at + step + items.length) % items.length;
    point();
  }

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => accept(at),
    Tab: () => accept(at),
    Escape: refuse,
  };

  field.addEventListener("input", (event) => event.isComposing || update());
  field.addEventListener("compositionend", update);
  field.addEventListener("blur", close);
  document.addEventListener("selectionchange", () => isOpen() && update());
  addEventListener("resize", () => isOpen() && stand());
  store.on("open", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("[role=option]");
    if (row) accept(items.findIndex((item) => item.row === row));
  });
  update();

  return {
    /** True where a key was for the list, and nobody else's. Not to be asked while one composes. */
    takes(event) {
      const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!isOpen() || !isPlain || !keys[event.key]) return false;
      event.preventDefault();
      keys[event.key]();
      return true;
    },
  };
}

/** The unfinished mention or emoji before the caret. */
function wordBefore(field) {
  if (field.selectionStart !== field.selectionEnd) return null;
  const before = field.value.slice(0, field.selectionStart);
  const [person, emoji] = [before.match(PERSON), before.match(EMOJI)];
  const letters = (person ?? emoji)?.[1];
  if (letters === undefined) return null;
  return { kind: person ? "person" : "emoji", letters, start: before.length - letters.length - 1 };
}

function peopleFor(people, letters) {
  const asked = fold(letters);
  return people
    .map((user) => ({ user, rank: rankOf(user, asked) }))
    .filter((one) => one.rank >= 0)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, MOST_SHOWN)
    .map(({ user }) => ({ kind: "person", text: `@${user.username}`, row: personRow(user, asked) }));
}

/** A name is looked for from the beginnings of its words only. */
function rankOf({ display_name: name, username }, asked) {
  const ranks = [rank(username, asked), rank(name, asked)].filter((one) => one === 0 || one === 1);
  return ranks.length ? Math.min(...ranks) : -1;
}

function personRow(user, asked) {
  const name = element("span", { class: "suggestion-name", dir: "auto" }, ...marked(user.display_name, asked));
  const handle = element("span", { class: "suggestion-more" }, "@", ...marked(user.username, asked));
  return option(avatarOf(user, "tiny"), name, handle);
}

async function emojiFor(letters) {
  const emojis = await loadEmojis().catch(() => []);
  return searchEmojis(emojis, letters)
    .slice(0, MOST_SHOWN)
    .map((one) => ({ kind: "emoji", text: tones.of(one), row: emojiRow(one, letters.toLowerCase()) }));
}

function emojiRow(one, letters) {
  const face = element("span", { class: "suggestion-emoji" }, tones.of(one));
  const code = one.shortcodes.find((known) => known.startsWith(letters)) ?? one.shortcodes[0];
  const name = element("span", { class: "suggestion-name" }, ":", ...marked(code, letters), ":");
  return option(face, name, element("span", { class: "suggestion-more" }, one.annotation));
}

function option(...parts) {
  const hint = keycaps("Enter");
  hint.setAttribute("aria-hidden", "true");
  return element("div", { class: "suggestion", role: "option" }, ...parts, hint);
}
