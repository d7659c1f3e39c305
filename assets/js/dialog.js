// A GET that lands in #dialog-content opens the native modal; `HX-Trigger: dialog:close` shuts it.
const dialog = () => document.getElementById("dialog");
const content = () => document.getElementById("dialog-content");
const toasts = () => document.getElementById("toasts");
let opener = { id: null, row: null };

document.addEventListener("htmx:before:request", (event) => {
  const source = event.detail.ctx.sourceElement;
  if (dialog()?.open || !source) return;
  opener = { id: source.id, row: source.closest("[id^='row-']")?.id };
});

document.addEventListener("htmx:after:swap", (event) => {
  if (!content()?.childElementCount) return;
  if (!dialog().open) {
    dialog().showModal();
    dialog().append(toasts()); // all outside a modal is out of reach, messages too
    dialog().querySelector("[autofocus]")?.focus();
  } else if (event.detail.ctx.response?.status === 422) {
    dialog().querySelector("[aria-invalid='true'], [data-form-errors]")?.focus();
  }
});

// The row may have been rendered anew: give the focus to the element that now bears the opener's id, or to the row.
function tidy() {
  content().replaceChildren();
  document.body.append(toasts());
  const back = () => document.getElementById(opener.id) ?? document.getElementById(opener.row);
  queueMicrotask(() => back()?.focus());
}

// At once: the event `close` comes with the next frame, when another dialog may already be open.
function shut() {
  dialog().close();
  tidy();
}

document.addEventListener("dialog:close", () => dialog()?.open && shut());

document.addEventListener("click", (event) => {
  if (!dialog()?.open) return;
  if (event.target === dialog() || event.target.closest("[data-dialog-close]")) {
    event.preventDefault();
    shut();
  }
});

// The browser itself closed it, by the escape key.
document.addEventListener(
  "close",
  (event) => {
    if (event.target === dialog() && !dialog().open && content().childElementCount) tidy();
  },
  true,
);
