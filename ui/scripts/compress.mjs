// Beside every asset a packed copy, so that the server never packs: brotli for those who take it, gzip for the rest.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = new URL("../../src/tradewind/server/ui/static/", import.meta.url).pathname;
function walk(at) {
  for (const name of readdirSync(at)) {
    const path = join(at, name);
    if (statSync(path).isDirectory()) walk(path);
    else if (/\.(js|css|svg)$/.test(name)) {
      const raw = readFileSync(path);
      if (raw.length < 1000) continue;
      writeFileSync(`${path}.br`, brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
      writeFileSync(`${path}.gz`, gzipSync(raw, { level: 9 }));
    }
  }
}
walk(folder);
