// Publishes every file of integrations/ to a running gateway by `PUT /integration/{name}`.
// As a command: CAUSEWAY_URL=https://… ADMIN_TOKEN=… node scripts/publish.mjs

import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** Prints one line per file and returns how many were refused. */
export async function publishAll({ url, token, folder }) {
  const files = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith(".json")).sort() : [];
  if (files.length === 0) console.log("    no files in integrations/");
  let refused = 0;
  for (const file of files) {
    const { ok, status, text } = await publish({ url, token, file: path.join(folder, file) });
    console.log(ok ? `    ✓ ${path.basename(file, ".json")}${warnings(text)}` : `    ✗ ${file}: ${explain(status, text)}`);
    if (!ok) refused += 1;
  }
  return refused;
}

async function publish({ url, token, file }) {
  const name = path.basename(file, ".json");
  const response = await fetch(new URL(`/integration/${name}`, url), {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: await readFile(file),
  });
  return { ok: response.ok, status: response.status, text: await response.text() };
}

function warnings(text) {
  const { findings = [] } = JSON.parse(text);
  return findings.length === 0 ? "" : ` (${findings.length} warnings; POST /integration/validate lists them)`;
}

function explain(status, text) {
  let error;
  try {
    error = JSON.parse(text);
  } catch {
    return `${status} ${text.slice(0, 400)}`;
  }
  const findings = error.details?.findings ?? error.details?.failures ?? [];
  const line = ({ path, message, hint }) => `\n        ${path}: ${message}${hint ? ` (${hint})` : ""}`;
  return `${status} ${error.code ?? ""} ${error.message ?? ""}${findings.map(line).join("")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { CAUSEWAY_URL: url, ADMIN_TOKEN: token } = process.env;
  if (!url || !token) {
    console.error("Say where and with which right: CAUSEWAY_URL=https://… ADMIN_TOKEN=… node scripts/publish.mjs");
    process.exit(2);
  }
  process.exit((await publishAll({ url, token, folder: path.resolve(import.meta.dirname, "../integrations") })) > 0 ? 1 : 0);
}
