// The settings page: what is chosen is kept and seen at once, what is typed when it is sent.

import { element, find, findAll, pageData } from "./dom.js";
import { hear, tell, wear } from "./look.js";

const UNREACHED = "Not saved. We couldn't reach the server.";

const me = pageData("me");
const choice = (input) => [input.name, input.type === "radio" ? input.value : input.checked];
const kept = new Map(findAll("[data-keeps=settings] :checked, [role=switch]").map(choice));

for (const row of findAll("[data-plain]")) row.hidden = true;
for (const form of findAll("[data-keeps=settings]")) form.addEventListener("change", keepChoice);
find("[data-keeps=profile]").addEventListener("submit", keepProfile);
find("form[action='/logout']").addEventListener("submit", logOut);
find("[data-device]").textContent = deviceText();
followSections();
hear(take);

async function logOut(event) {
  event.preventDefault();
  const { leave } = await import("./forget.js");
  leave(event.target, me.id);
}

async function keepChoice({ target }) {
  const form = target.form;
  const [name, value] = choice(target);
  me.settings = { ...me.settings, [name]: value };
  wear(me.settings);
  const errors = await keep(form, { settings: me.settings });
  if (errors) return take({ ...me.settings, [name]: kept.get(name) });
  kept.set(name, value);
  tell(me.settings);
}

/** All as it is kept, by another tab too. */
function take(settings) {
  me.settings = settings;
  wear(settings);
  for (const name of kept.keys()) show(name, settings[name] ?? kept.get(name));
}

function show(name, value) {
  kept.set(name, value);
  for (const input of findAll(`[name="${name}"]`)) {
    input.checked = input.type === "radio" ? input.value === value : value;
  }
}

async function keepProfile(event) {
  event.preventDefault();
  const form = event.target;
  const { display_name, email } = Object.fromEntries(new FormData(form));
  if (!(await keep(form, { display_name, email }))) find("[data-own-name]").textContent = display_name.trim();
}

/** Returns what was wrong, shown by then; nothing where it is kept. */
async function keep(form, change) {
  say(form, "");
  const errors = await sent(form, change).catch(() => [{ detail: UNREACHED }]);
  showErrors(form, errors ?? []);
  if (!errors) say(form, "Saved");
  return errors;
}

let last = Promise.resolve();

/** One after the other: each carries all settings, and the last has to win. */
function sent(form, change) {
  last = last.catch(() => {}).then(() => patch(form, change));
  return last;
}

async function patch(form, change) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch("/users/me", { method: "PATCH", headers, body: JSON.stringify(change) });
  if (answer.status === 401) location.reload();
  return answer.ok ? null : (await answer.json()).errors;
}

function say(form, text) {
  find("[data-saved]", form.closest("section")).textContent = text;
}

function showErrors(form, errors) {
  for (const old of findAll("[data-error]", form)) old.remove();
  for (const input of findAll(":is([type=text], [type=email])", form)) unblame(input);
  for (const { attr, detail } of errors) blame(form, form.elements[attr], detail);
  find("[aria-invalid]", form)?.focus();
}

function unblame(input) {
  input.removeAttribute("aria-invalid");
  input.closest(".field").classList.remove("is-invalid");
}

function blame(form, input, detail) {
  const isField = input instanceof HTMLInputElement && input.closest(".field");
  const error = element("p", { class: "field-error", "data-error": "", role: "alert" }, detail);
  if (!isField) return form.append(error);
  error.id = `${input.id}_error`;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", error.id);
  input.closest(".field").classList.add("is-invalid");
  input.closest(".field").append(error);
}

function deviceText() {
  if (!isSecureContext) return "This address is plain http, so the page can't be installed or opened offline. HTTPS makes both work. What you write is kept here until it is sent.";
  if (!navigator.serviceWorker) return "This browser doesn't open the page offline. What you write is kept here until it is sent.";
  return "Your last chats open here without a connection, and what you write then is sent later. Your browser's menu installs the page as an app.";
}

/** Marks in the list the section that one reads. */
function followSections() {
  const main = find(".settings-main");
  const sections = findAll("section[id]", main);
  const mark = () => {
    const line = main.clientHeight / 3;
    const read = sections.findLast((section) => section.getBoundingClientRect().top <= line) ?? sections[0];
    for (const link of findAll(".settings-nav a[href^='#']")) {
      link.ariaCurrent = link.hash === `#${read.id}` ? "true" : null;
    }
  };
  main.addEventListener("scroll", mark, { passive: true });
  mark();
}
