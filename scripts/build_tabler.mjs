// Leaves of Tabler what our pages can name, in build/tabler.css: whole, it is nine tenths of what a browser reads anew
// for every page. A class put together from pieces would be missed; tests/browser/looks.py looks for such on every page.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PurgeCSS } from "purgecss";

const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const drawn = "<input><select><option><optgroup><textarea>"; // by Django's widgets; no template names them
const [tabler] = await new PurgeCSS().purge({
  content: [
    ...["templates/**/*.html", "portal/templatetags/*.py", "assets/**/*.js"].map((files) => join(root, files)),
    { raw: drawn, extension: "html" },
  ],
  css: [join(root, "node_modules/@tabler/core/dist/css/tabler.min.css")],
  fontFace: true,
  keyframes: true,
});

mkdirSync(join(root, "build"), { recursive: true });
writeFileSync(join(root, "build/tabler.css"), tabler.css);
console.log(`tabler.css: ${tabler.css.length} bytes`);
