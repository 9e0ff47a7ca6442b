// The public API's contract as types: `node contract.mjs` writes them, `node contract.mjs --check` proves them current.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("../src/api/contract.ts", import.meta.url);
const source = new URL("../../contracts/openapi.json", import.meta.url);
const made = astToString(await openapiTS(source)).replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, "");
const text = `// Made from contracts/openapi.json by \`make ui-contract\`; not changed by hand.\n${made}`;
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    process.stderr.write("ui/src/api/contract.ts is not current: make ui-contract\n");
    process.exit(1);
  }
} else writeFileSync(target, text);
