// Publishes files of integrations/ by the API of a local gateway, for `make dev`, which need not build the command for it.

import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

/**
 * Sends the files that the gateway does not have as they are, reports each, and says whether it took all of them.
 * `record`: a JSON file that keeps what was published before, `{[name]: {version, digest}}`.
 */
export async function publishChanged({ url, token, folder, record }) {
  const call = async (method, resource, body) => {
    const response = await fetch(url + resource, { method, body, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
    return { ok: response.ok, status: response.status, answer: await response.json() };
  };
  const published = await readFile(record, "utf8").then(JSON.parse).catch(() => ({}));
  const versions = await currentVersions(call);
  const counts = { unchanged: 0, refused: 0 };
  for (const file of (await readdir(folder)).filter((file) => file.endsWith(".json")).sort()) {
    const bytes = await readFile(path.join(folder, file));
    const name = nameIn(bytes) ?? path.basename(file, ".json");
    const digest = createHash("sha256").update(bytes).digest("hex");
    const before = versions.get(name);
    if (before && published[name]?.version === before && published[name].digest === digest) {
      counts.unchanged += 1;
      continue;
    }
    const { ok, status, answer } = await call("PUT", `/integration/${encodeURIComponent(name)}`, bytes);
    if (ok) published[name] = { version: answer.version, digest };
    else counts.refused += 1;
    report({ file, name, ok, status, answer, before });
  }
  await writeFile(record, JSON.stringify(published));
  if (counts.unchanged) console.log(`${counts.unchanged} unchanged`);
  return counts.refused === 0;
}

/** The versions of all published integrations by name. */
async function currentVersions(call) {
  const versions = new Map();
  let cursor = "";
  do {
    const { ok, status, answer } = await call("GET", `/integration?limit=100${cursor}`);
    if (!ok) throw new Error(`GET /integration: ${status} ${answer.code}: ${answer.message}`);
    for (const { name, version } of answer.result) versions.set(name, version);
    cursor = answer.next_cursor && `&next_cursor=${encodeURIComponent(answer.next_cursor)}`;
  } while (cursor);
  return versions;
}

function nameIn(bytes) {
  try {
    return JSON.parse(bytes).name;
  } catch {
    return undefined; // the gateway says where the JSON is wrong
  }
}

function report({ file, name, ok, status, answer, before }) {
  const findings = (ok ? answer.findings : answer.details?.failures) ?? [];
  if (!ok) console.log(`✗ ${name} (integrations/${file}): ${findings.length ? "refused" : `refused, ${status} ${answer.code}: ${answer.message}`}`);
  else console.log(`✓ ${name}: ${before ? `version ${before} →` : "created, version"} ${answer.version}`);
  for (const { path: place, message } of findings) console.log(`    ${place}: ${message}`);
}
