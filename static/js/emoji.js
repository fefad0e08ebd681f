// The emoji picker.

import { element, find, findAll, icon } from "./dom.js";
import { loadEmojis, recent, searchEmojis, tones } from "./emojis.js";
import { insertText, isComposing, isPrintable } from "./keyboard.js";
import { place } from "./parts.js";

const COLUMNS = 8;
const MOST_FOUND = 80;
const HANDS = ["✋", "✋🏻", "✋🏼", "✋🏽", "✋🏾", "✋🏿"];
const TONES = ["Default", "Light", "Medium-light", "Medium", "Medium-dark", "Dark"];
const CATEGORIES = [
  { name: "Smileys and people", face: "😀", groups: [0, 1] },
  { name: "Animals and nature", face: "🐻", groups: [3] },
  { name: "Food and drink", face: "🍔", groups: [4] },
  { name: "Travel and places", face: "🚲", groups: [5] },
  { name: "Activities", face: "⚽", groups: [6] },
  { name: "Objects", face: "💡", groups: [7] },
  { name: "Symbols", face: "💜", groups: [8] },
  { name: "Flags", face: "🏁", groups: [9] },
];

let picker = null;
let emojis = [];
let filled = Promise.resolve();
let finish = () => {};
/** What the press was on that closed it. */
let pressed = null;

/** Resolves with the emoji that was picked beside `near`, or null. */
export async function pickEmoji(near, { onClose } = {}) {
  // The press on a button that closed the picker does not open it again.
  if (near.contains(pressed)) return (pressed = null);
  picker ??= build();
  const picked = new Promise((resolve) => (finish = resolve));
  picker.box.showPopover();
  stand(near);
  picker.search.value = "";
  (matchMedia("(pointer: coarse)").matches ? picker.box : picker.search).focus();
  await (filled = fill());
  const emoji = await picked;
  if (emoji) recent.add(emoji);
  onClose?.(emoji);
  return emoji;
}

/** Above a whole form, but by its button. */
function stand(near) {
  const { top, bottom } = (near.form ?? near).getBoundingClientRect();
  place(picker.box, { top, bottom, right: near.getBoundingClientRect().right });
}

/** Picks one into the text of a field. */
export async function addEmoji(button, field) {
  const emoji = await pickEmoji(button);
  if (!emoji) return;
  field.focus();
  insertText(emoji);
}

function build() {
  const search = element("input", { type: "search", placeholder: "Search emoji", autocomplete: "off", "aria-label": "Search emoji" });
  const grid = element("div", { class: "picker-grid", role: "grid", "aria-label": "Emoji" });
  const categories = element("div", { class: "picker-categories", role: "toolbar", "aria-label": "Categories" });
  const shown = element("span", { class: "picker-shown" });
  const tone = element("select", { class: "picker-tone", "aria-label": "Skin tone" });
  const foot = element("div", { class: "picker-foot" }, shown, tone);
  const box = element("div", { class: "picker", popover: "auto", role: "dialog", tabindex: -1, "aria-label": "Pick an emoji" });
  HANDS.forEach((hand, index) => tone.append(element("option", { value: index, "aria-label": TONES[index] }, hand)));
  categories.append(...CATEGORIES.map(categoryButton));
  box.append(element("label", { class: "search-box" }, icon("search"), search), grid, categories, foot);
  document.body.append(box);
  picker = { box, search, grid, categories, shown, tone };
  listen();
  return picker;
}

function categoryButton({ name, face }, index) {
  const attributes = { type: "button", "aria-label": name, title: name, "data-category": index };
  return element("button", { ...attributes, tabindex: index ? -1 : 0 }, face);
}

function listen() {
  const { box, search, grid, categories, tone } = picker;
  box.addEventListener("beforetoggle", ({ newState }) => newState === "closed" && finish(null));
  document.addEventListener("pointerdown", ({ target }) => (pressed = box.matches(":popover-open") ? target : null), true);
  box.addEventListener("click", picked);
  grid.addEventListener("keydown", moveInGrid);
  grid.addEventListener("focusin", ({ target }) => show(target));
  grid.addEventListener("pointerover", ({ target }) => show(target));
  search.addEventListener("input", render);
  search.addEventListener("keydown", pressedInSearch);
  categories.addEventListener("keydown", moveAmongCategories);
  tone.addEventListener("change", changeTone);
}

function changeTone() {
  tones.choose(Number(picker.tone.value));
  render();
}

async function fill() {
  picker.tone.value = tones.chosen;
  try {
    emojis = await loadEmojis();
    render();
  } catch {
    emojis = [];
    say("The emoji could not be loaded. Check your connection and try again.");
  }
}

function say(text) {
  picker.grid.replaceChildren(element("p", { class: "picker-note", role: "status" }, text));
}

// The grid

function render() {
  const query = picker.search.value.trim();
  if (query) renderFound(query);
  else picker.grid.replaceChildren(...sections());
  picker.grid.scrollTop = 0;
  const first = cells()[0];
  if (first) first.tabIndex = 0;
  show(query ? first : null);
}

function renderFound(query) {
  const found = searchEmojis(emojis, query).slice(0, MOST_FOUND);
  if (found.length) picker.grid.replaceChildren(section("Found", found.map(faceOf)));
  else say(`Nothing found for “${query}”. Try fewer letters.`);
}

function sections() {
  const known = new Map(emojis.flatMap((one) => facesOf(one).map((face) => [face, one.annotation])));
  const last = recent.all.filter((emoji) => known.has(emoji)).map((emoji) => ({ emoji, name: known.get(emoji) }));
  const groups = CATEGORIES.map(({ name, groups: wanted }) => {
    return section(name, emojis.filter(({ group }) => wanted.includes(group)).map(faceOf));
  });
  return last.length ? [section("Recent", last), ...groups] : groups;
}

const faceOf = (one) => ({ emoji: tones.of(one), name: one.annotation });
const facesOf = ({ emoji, skins = [] }) => [emoji, ...skins.map((skin) => skin.emoji)];

function section(name, faces) {
  const label = element("div", { class: "section-label", "aria-hidden": "true" }, name);
  const made = element("div", { class: "picker-section", role: "rowgroup", "aria-label": name }, label);
  const rows = Math.ceil(faces.length / COLUMNS);
  // Drawn once it is in sight: its height has to be known before.
  made.style.setProperty("--rows", rows);
  for (let row = 0; row < rows; row++) made.append(rowOf(faces.slice(row * COLUMNS, (row + 1) * COLUMNS)));
  return made;
}

function rowOf(faces) {
  const row = element("div", { class: "picker-row", role: "row" });
  for (const { emoji, name } of faces) {
    row.append(element("button", { type: "button", role: "gridcell", tabindex: -1, "aria-label": name, "data-emoji": emoji }, emoji));
  }
  return row;
}

const cells = () => findAll("[data-emoji]", picker.grid);

function show(cell) {
  const { emoji } = cell?.dataset ?? {};
  if (cell && !emoji) return;
  const name = cell?.getAttribute("aria-label") ?? "";
  picker.shown.replaceChildren(...(cell ? [element("span", { "aria-hidden": "true" }, emoji), name] : []));
}

function picked({ target }) {
  const category = target.closest("[data-category]")?.dataset.category;
  const emoji = target.closest("[data-emoji]")?.dataset.emoji;
  if (category) openCategory(CATEGORIES[category].name);
  if (emoji) close(emoji);
}

function close(emoji) {
  finish(emoji);
  picker.box.hidePopover();
}

function openCategory(name) {
  if (picker.search.value) {
    picker.search.value = "";
    render();
  }
  const wanted = find(`[aria-label="${name}"]`, picker.grid);
  if (wanted) picker.grid.scrollTop = wanted.offsetTop - picker.grid.offsetTop;
}

// Keys

function pressedInSearch(event) {
  if (isComposing(event) || event.altKey) return;
  const first = cells()[0];
  if (event.key === "Enter") pickFirst();
  else if (event.key === "ArrowDown" && first) focus(first);
  else return;
  event.preventDefault();
}

/** Who types fast need not wait for the emoji to come. */
async function pickFirst() {
  await filled;
  const first = cells()[0];
  if (first && picker.search.value.trim()) close(first.dataset.emoji);
}

function moveInGrid(event) {
  if (event.altKey) return;
  const { key, target } = event;
  const next = target.dataset.emoji && neighbour(target, key, event.ctrlKey);
  if (next) {
    event.preventDefault();
    focus(next);
  } else if (key === "ArrowUp" && target.dataset.emoji) {
    event.preventDefault();
    picker.search.focus();
  } else if (isPrintable(event) || key === "Backspace") picker.search.focus();
}

function neighbour(cell, key, isFar) {
  const all = cells();
  const rows = findAll(".picker-row", picker.grid);
  const at = rows.indexOf(cell.parentElement);
  const column = [...cell.parentElement.children].indexOf(cell);
  const inRow = (row) => row && (row.children[column] ?? row.lastElementChild);
  const ends = isFar ? all : [...cell.parentElement.children];
  const targets = {
    ArrowLeft: () => all[all.indexOf(cell) - 1],
    ArrowRight: () => all[all.indexOf(cell) + 1],
    ArrowUp: () => inRow(rows[at - 1]),
    ArrowDown: () => inRow(rows[at + 1]),
    PageUp: () => find(".picker-row", beside(cell, "previousElementSibling"))?.children[0],
    PageDown: () => find(".picker-row", beside(cell, "nextElementSibling"))?.children[0],
    Home: () => ends[0],
    End: () => ends.at(-1),
  };
  return targets[key]?.();
}

/** The section before or after a cell's own. */
function beside(cell, side) {
  const own = cell.closest(".picker-section");
  return own[side] ?? own;
}

function focus(cell) {
  for (const old of findAll("[tabindex='0']", picker.grid)) old.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

function moveAmongCategories(event) {
  const buttons = findAll("button", picker.categories);
  const at = buttons.indexOf(event.target);
  const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const wanted = buttons.at(next % buttons.length);
  for (const button of buttons) button.tabIndex = button === wanted ? 0 : -1;
  wanted.focus();
}
