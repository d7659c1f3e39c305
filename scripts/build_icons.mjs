// Gathers the icons named in assets/icons.txt into one sprite, build/static/portal/icons.svg.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const lucide = dirname(createRequire(import.meta.url).resolve("lucide-static/package.json"));
const target = join(root, "build/static/portal");
const names = readFileSync(join(root, "assets/icons.txt"), "utf8").split("\n").filter(Boolean);

function symbol(name) {
  const svg = readFileSync(join(lucide, "icons", `${name}.svg`), "utf8");
  const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
}

mkdirSync(target, { recursive: true });
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${names.map(symbol).join("\n")}\n</svg>\n`;
writeFileSync(join(target, "icons.svg"), sprite);
console.log(`icons.svg: ${names.length} icons, ${sprite.length} bytes`);
