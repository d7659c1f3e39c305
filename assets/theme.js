// Loaded blocking in <head>, so that nothing is painted in the wrong theme or jumps when app.js arrives.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  if (root.dataset.theme !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  apply();
  dark.addEventListener("change", apply);
})();
