// Every page works without this file; it only saves page loads and adds comfort.
import htmx from "htmx.org";
import "./js/requests.js";
import "./js/dialog.js";
import "./js/toasts.js";
import "./js/selection.js";
import "./js/submit.js";
import "./js/search-select.js";
import "./js/menus.js";
import "./js/copy.js";

window.htmx = htmx;
