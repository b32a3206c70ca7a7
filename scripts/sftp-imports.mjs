// Fails if a wasm imports from `env`: a function of C that was not compiled, which the runtime does not have.
//
//   node scripts/sftp-imports.mjs build/sftp/index_bg.wasm

import { readFile } from "node:fs/promises";

const module = new WebAssembly.Module(await readFile(process.argv[2]));
const missing = WebAssembly.Module.imports(module).filter((one) => one.module === "env");
if (missing.length > 0) {
  console.error(`The wasm imports what does not exist: ${missing.map(({ name }) => name).join(", ")}. Was C compiled by something else than clang?`);
  process.exit(1);
}
