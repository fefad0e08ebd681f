// What a new password has to be, ticked off while one types. The server has the last word.

import { find, findAll } from "./dom.js";

const MOST_ALIKE = 0.7;

for (const list of findAll("[data-rules]")) {
  const field = document.getElementById(list.dataset.rules);
  const check = () => tick(list, field);
  field.form.addEventListener("input", check);
  check();
}

function tick(list, { value, form }) {
  const own = ["username", "email", "display_name"].map((name) => form.elements[name]?.value ?? "");
  const isKept = { length: isLongEnough(value), unlike: Boolean(value) && !own.some((text) => isLike(value, text)) };
  for (const rule of findAll("[data-rule]", list)) {
    rule.classList.toggle("is-kept", isKept[rule.dataset.rule]);
    find("[data-kept]", rule).hidden = !isKept[rule.dataset.rule];
  }
}

function isLongEnough(password) {
  const { length } = [...password];
  return length >= 8 && length <= 128;
}

/** As Django's UserAttributeSimilarityValidator has it. */
function isLike(password, text) {
  const whole = text.toLowerCase();
  const parts = [...whole.split(/[^\p{L}\p{N}_]+/u), whole].filter(Boolean);
  return parts.some((part) => !isFarLonger(password, part) && likeness(password.toLowerCase(), part) >= MOST_ALIKE);
}

function isFarLonger(password, part) {
  return password.length >= 10 * part.length && part.length < (MOST_ALIKE / 2) * password.length;
}

/** How many letters both have, whatever their order: from 0 to 1. */
function likeness(one, other) {
  const left = [...other];
  const common = [...one].filter((letter) => {
    const at = left.indexOf(letter);
    return at >= 0 && left.splice(at, 1);
  });
  return (2 * common.length) / (one.length + other.length);
}
