// Prints what Cloudflare counts, the gzipped size, and fails over 3 MB (the free plan's limit).

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 3_000_000;
const build = path.resolve(import.meta.dirname, "../build");
const contents = await Promise.all(["index_bg.wasm", "index.js"].map((file) => readFile(path.join(build, file))));
const [wasm, js] = contents.map((content) => gzipSync(content).length);
const grouped = (bytes) => bytes.toLocaleString("en-US");

console.log(`==> Size, gzipped: wasm ${grouped(wasm)} bytes, JavaScript ${grouped(js)}, of ${grouped(LIMIT)} together`);
if (wasm + js > LIMIT) {
  console.error("Too large. `cargo bloat` and `twiggy` show what takes the space.");
  process.exit(1);
}
