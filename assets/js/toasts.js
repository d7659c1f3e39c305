// Messages from the server, and the errors that never reach a page. Texts come translated from the server.
const SECONDS = 8;
const region = () => document.getElementById("toasts");

function leaveInTime(toast) {
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), SECONDS * 1000));
  const stop = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  toast.removeAttribute("data-toast");
  start();
}

// Moved, not rendered there: a live region announces only what arrives after the page was loaded.
function collect() {
  region()?.append(...document.querySelectorAll("#messages > .p-toast"));
  region()?.querySelectorAll("[data-toast='auto']").forEach(leaveInTime);
}

function showError(kind, reference) {
  const template = document.getElementById("error-toast");
  const toast = template.content.cloneNode(true);
  toast.querySelector("[data-text]").textContent = template.dataset[kind];
  if (reference) {
    toast.querySelector("[data-reference]").textContent = reference;
    toast.querySelector("[hidden]").hidden = false;
  }
  region().append(toast);
}

const KINDS = { 403: "denied", 404: "missing", 429: "limited" };

document.addEventListener("htmx:response:error", (event) => {
  const { response, hx } = event.detail.ctx;
  if (response.status >= 500) showError("server", response.headers.get("X-Request-ID"));
  else if (response.status === 409 && hx.reswap === "none") showError("stale");
  else if (KINDS[response.status]) showError(KINDS[response.status]);
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !event.detail.ctx.response) showError("network");
});
document.addEventListener("htmx:after:swap", collect);
document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-dismiss]")?.closest(".p-toast").remove();
});
collect();
