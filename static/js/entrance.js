// The pages around the chats: passwords that can be shown, and buttons that ask first.

import { element, find, findAll } from "./dom.js";

for (const button of findAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const isShown = field.type === "text";
    field.type = isShown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!isShown));
    button.setAttribute("aria-label", isShown ? "Show password" : "Hide password");
    field.focus();
  });
}

if (find("[data-rules]")) import("./rules.js");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirms]");
  if (!button || "isConfirmed" in button.dataset) return;
  event.preventDefault();
  ask(button);
});

/** The same press again, once it is confirmed; the focus goes back to the button, else. */
function ask(button) {
  const { confirms, confirmText, confirmYes } = button.dataset;
  const no = element("button", { class: "button is-quiet", value: "" }, "Cancel");
  const yes = element("button", { class: "button is-danger", value: "yes" }, confirmYes);
  const title = element("h2", { id: "ask-title", dir: "auto" }, confirms);
  const text = element("p", { id: "ask-text" }, confirmText ?? "");
  const form = element("form", { method: "dialog" }, title, text, element("p", { class: "dialog-buttons" }, no, yes));
  const dialog = element("dialog", { class: "dialog", role: "alertdialog", "aria-labelledby": title.id, "aria-describedby": text.id }, form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (!dialog.returnValue) return;
    button.dataset.isConfirmed = "";
    button.form.append(element("input", { type: "hidden", name: "is_sure", value: "yes" }));
    button.click();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
