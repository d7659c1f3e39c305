// Joins the forms marked with data-passkey to allauth's webauthn.js; without passkeys in this browser they stay hidden.
(() => {
  if (!window.PublicKeyCredential) return;
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const { credential, passwordless } = form.elements;
    const button = form.querySelector("#passkey-button").id;
    const ids = { login: button, add: button, authenticate: button, credential: credential.id };
    if (passwordless) ids.passwordless = passwordless.id;
    if (form.dataset.options) ids.data = form.dataset.options;
    form.hidden = false;
    window.allauth.webauthn.forms[`${form.dataset.passkey}Form`]({ ids });
  });
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const note = document.querySelector("[data-passkey-error]");
    note.hidden = false;
    note.focus();
  });
})();
