// Popovers and <details> open natively; this closes the latter, adds arrow keys and Ctrl+K for the search.
const closeDrops = (except) => {
  document.querySelectorAll("details.p-drop[open]").forEach((drop) => {
    if (!drop.contains(except)) drop.open = false;
  });
};

document.addEventListener("click", (event) => closeDrops(event.target));

document.addEventListener("keydown", (event) => {
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    const search = document.querySelector("[role='search'] input[type='search']");
    if (search) event.preventDefault();
    search?.focus();
  }
  const drop = event.key === "Escape" && event.target.closest?.("details.p-drop[open]");
  if (drop) {
    drop.open = false;
    drop.querySelector("summary").focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const menu = step && event.target.closest?.(".p-menu");
  if (menu) {
    const items = [...menu.querySelectorAll("a, button")];
    items.at((items.indexOf(event.target) + step) % items.length)?.focus();
    event.preventDefault();
  }
});
