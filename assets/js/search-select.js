// <select data-search="Label of the search field">: a search field above the native list.
const plain = (text) =>
  text
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");

// "030 …", "+49 30 …" and "0049 30 …" are the same number.
const national = (text) => plain(text).replace(/^(0049|49|0)(?=\d)/, "");

function enhance(select) {
  const options = [...select.options].map((option) => ({
    option,
    text: plain(`${option.text} ${option.dataset.terms ?? ""}`),
  }));
  const search = document.createElement("input");
  search.type = "search";
  search.className = "form-control";
  search.autocomplete = "off";
  search.placeholder = select.dataset.search;
  search.setAttribute("aria-label", select.dataset.search);
  if (select.id) search.setAttribute("aria-controls", select.id);

  const frame = document.createElement("div");
  frame.className = "p-search-select";
  select.before(frame);
  frame.append(search, select);
  select.removeAttribute("data-search");
  select.size = Math.min(6, Math.max(3, options.length));

  search.addEventListener("input", () => {
    const [exact, number] = [plain(search.value), national(search.value)];
    const fits = ({ option, text }) => option.selected || text.includes(exact) || text.includes(number);
    select.replaceChildren(...options.filter(fits).map(({ option }) => option));
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select.focus();
    if (event.key === "ArrowDown" || event.key === "Enter") event.preventDefault();
  });
}

const enhanceAll = () => document.querySelectorAll("select[data-search]").forEach(enhance);
document.addEventListener("htmx:after:swap", enhanceAll);
enhanceAll();
