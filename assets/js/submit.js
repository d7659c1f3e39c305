// A plain form is sent once; htmx forms say hx-disable. Forms that answer with a file carry data-repeat.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if ("repeat" in form.dataset) return;
  if ("sent" in form.dataset) event.preventDefault();
  else form.dataset.sent = "";
});

// The page may come back from the browser's history with its forms still marked.
addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

// Filters that would need a button without JavaScript.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

// The enter key in a search within a form that changes something searches, as typing does; it saves nothing.
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key === "Enter" && target.matches?.("input[type='search']") && target.form?.method === "post")
    event.preventDefault();
});
