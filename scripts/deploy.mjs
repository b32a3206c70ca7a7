// `make deploy`: the optimised build to Cloudflare, with its secrets, then integrations/ to the deployed gateway.
// Secrets that are missing there are made here and kept in .deploy.vars; those that exist are never touched:
// a new SEALING_KEYS over an old one would lose every stored credential.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";
import { publishIntegrations } from "./command.mjs";
import { deployedSecrets } from "./deployed.mjs";
import { randomAdminToken, randomSealingKey } from "./dev-vars.mjs";
import { root } from "./local-worker.mjs";
import { deploySftp } from "./sftp.mjs";

const kept = path.join(root, ".deploy.vars");
const sent = path.join(root, ".deploy.vars.new");
const bound = path.join(root, ".deploy.toml"); // next to wrangler.toml, whose paths it has
const make = { ADMIN_TOKEN: randomAdminToken, SEALING_KEYS: randomSealingKey };

try {
  const missing = await missingSecrets();
  const secrets = await keepSecrets(missing);
  const sftp = await deploySftp({ wrangler, say: console.log, folder: path.join(root, "integrations"), build: path.join(root, "build/sftp"), config: bound });
  console.log("==> Deploying");
  const output = await deploy(secrets, sftp);
  await publish(process.env.CAUSEWAY_URL || output.match(/https:\/\/\S+\.workers\.dev/)?.[0]);
} catch (error) {
  console.error(`\nmake deploy: ${error.message}`);
  process.exit(1);
}

async function missingSecrets() {
  const names = (await deployedSecrets(wrangler)) ?? [];
  return Object.keys(make).filter((name) => !names.includes(name));
}

// Written before they are sent, so that they cannot be lost in between.
async function keepSecrets(missing) {
  if (missing.length === 0) return undefined;
  const known = await keptSecrets();
  const lines = missing.filter((name) => !known[name]).map((name) => `${name}="${make[name]()}"\n`);
  if (!existsSync(kept)) lines.unshift("# Secrets of the deployed gateway. Keep a copy of SEALING_KEYS: without it stored credentials cannot be opened.\n");
  await appendFile(kept, lines.join(""), { mode: 0o600 });
  console.log(`==> Setting ${missing.join(" and ")}, kept in .deploy.vars`);
  const all = await keptSecrets();
  return Object.fromEntries(missing.map((name) => [name, all[name]]));
}

async function keptSecrets() {
  return existsSync(kept) ? parseEnv(await readFile(kept, "utf8")) : {};
}

async function deploy(secrets, config) {
  const args = ["deploy", ...config];
  if (secrets) {
    await writeFile(sent, JSON.stringify(secrets), { mode: 0o600 });
    args.push("--secrets-file", sent);
  }
  try {
    const { code, output } = await wrangler(args);
    if (code !== 0) throw new Error("wrangler refused; its reason is above.");
    return output;
  } finally {
    await rm(sent, { force: true });
    await rm(bound, { force: true });
  }
}

async function publish(url) {
  const token = process.env.ADMIN_TOKEN || (await keptSecrets()).ADMIN_TOKEN;
  if (!url || !token) {
    console.log("==> Deployed. To publish integrations/:  make publish CAUSEWAY_URL=https://… CAUSEWAY_TOKEN=…");
    return;
  }
  await answering(url);
  console.log(`==> Publishing integrations/ to ${url}`);
  if (!(await publishIntegrations({ url, token }))) throw new Error("Deployed, but not every integration is published.");
}

// A new workers.dev name takes a while to answer.
async function answering(url) {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const response = await fetch(new URL("/health", url)).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  throw new Error(`Deployed, but ${url}/health does not answer 200. Later:  make publish CAUSEWAY_URL=${url} CAUSEWAY_TOKEN=…`);
}

/** `{code, stdout, output}`; `output` has both streams. */
function wrangler(args, { quiet = false } = {}) {
  const program = path.join(root, "node_modules/wrangler/bin/wrangler.js");
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ["inherit", "pipe", "pipe"] });
  let [stdout, output] = ["", ""];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      output += chunk;
      if (stream === child.stdout) stdout += chunk;
      if (!quiet) process.stdout.write(chunk);
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, output })));
}
