// What the first load costs, against the budget: the page's own script and what it preloads, gzip.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const folder = new URL("../../src/tradewind/server/ui/static/", import.meta.url).pathname;
const page = readFileSync(join(folder, "index.html"), "utf8");
const first = [...page.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+)"/g)].map((found) => found[1]);
let js = 0;
let css = 0;
for (const name of first) {
  const size = gzipSync(readFileSync(join(folder, name)), { level: 9 }).length;
  if (name.endsWith(".js")) js += size;
  if (name.endsWith(".css")) css += size;
}
const all = readdirSync(join(folder, "assets")).filter((name) => name.endsWith(".js"));
for (const name of all) {
  const size = gzipSync(readFileSync(join(folder, "assets", name)), { level: 9 }).length;
  process.stdout.write(`${first.includes(`assets/${name}`) ? "first" : "lazy "} ${(size / 1000).toFixed(1).padStart(7)} kB  ${name}\n`);
}
const fonts = readdirSync(join(folder, "assets")).filter((name) => name.endsWith(".woff2") && /latin-(wght|standard)|latin-wght/.test(name));
process.stdout.write(`first load: ${(js / 1000).toFixed(1)} kB JS, ${(css / 1000).toFixed(1)} kB CSS; fonts ${fonts.map((name) => (statSync(join(folder, "assets", name)).size / 1000).toFixed(0)).join("+")} kB\n`);
if (js > 250_000 || css > 25_000) {
  process.stdout.write("over budget: 250 kB JS, 25 kB CSS\n");
  process.exit(1);
}
