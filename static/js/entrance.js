// The pages around the chats: passwords that can be shown, and buttons that ask first.

for (const button of document.querySelectorAll("[data-reveal]")) {
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

document.addEventListener("click", (event) => {
  const question = event.target.closest("[data-confirms]")?.dataset.confirms;
  if (question && !confirm(question)) event.preventDefault();
});
