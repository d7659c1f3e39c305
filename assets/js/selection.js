// Bulk selection: counts, select-all, ranges by Shift. The bar itself is shown by CSS.
const boxes = () => [...document.querySelectorAll("input[name='ids']")];
let last = null;

function count() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const selectAll = document.getElementById("select-all");
  const output = document.getElementById("bulk-count");
  if (selectAll) {
    selectAll.checked = chosen > 0 && chosen === all.length;
    selectAll.indeterminate = chosen > 0 && chosen < all.length;
  }
  if (output) output.textContent = chosen;
  const everything = document.querySelector(".p-bulk-all input");
  if (everything && chosen < all.length) everything.checked = false;
}

function set(checked, range = boxes()) {
  range.forEach((box) => (box.checked = checked));
  count();
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (box.closest("[data-clear-selection]")) set(false);
  if (box.name !== "ids") return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) set(box.checked, all.slice(from, to + 1));
  last = box;
});
document.addEventListener("change", (event) => {
  if (event.target.id === "select-all") set(event.target.checked);
  else if (event.target.name === "ids") count();
});

// Arrow keys walk through the boxes of the list.
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.name !== "ids") return;
  const all = boxes();
  all[all.indexOf(event.target) + step]?.focus();
  event.preventDefault();
});
document.addEventListener("htmx:after:swap", count);
count();
