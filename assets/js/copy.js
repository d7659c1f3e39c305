// A button that copies a text: <button type="button" hidden data-copy="text" data-copied="Copied">. Hidden without JavaScript.
const offer = () => document.querySelectorAll("[data-copy][hidden]").forEach((button) => (button.hidden = false));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => (label.textContent = before), 2000);
});
document.addEventListener("htmx:after:swap", offer);
if (navigator.clipboard) offer();
