// Bytes of the Worker, gzipped as Cloudflare counts them.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "../../../scripts/local-worker.mjs";

export async function size({ builds }) {
  const rows = [];
  for (const { name, folder } of [...builds, { name: "FLOOR, Rust futures", folder: "build/floor" }]) {
    const read = (file) => readFile(path.resolve(root, folder, file));
    const [wasm, js] = [await read("index_bg.wasm"), await read("index.js")];
    rows.push([name, ...[gzipSync(wasm).length, wasm.length, gzipSync(js).length].map((bytes) => bytes.toLocaleString("en-US"))]);
  }
  return { title: "Bytes of the Worker", columns: ["", "wasm, gzipped", "wasm", "JavaScript, gzipped"], rows };
}
