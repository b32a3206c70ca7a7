// `make deploy`: the optimised build to Cloudflare, with its secrets, then integrations/ to the deployed gateway.
// Secrets that are missing there are made here and kept in .deploy.vars; those that exist are never touched:
// a new SEALING_KEYS over an old one would lose every stored credential. `make secret` changes one.

import { existsSync } from "node:fs";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { adminToken, gatewayUrl, untilHealthy } from "./answering.mjs";
import { publishIntegrations } from "./command.mjs";
import { DEPLOY_VARS, deployVars } from "./deploy-vars.mjs";
import { deployedSecrets } from "./deployed.mjs";
import { randomAdminToken, randomSealingKey } from "./dev-vars.mjs";
import { root } from "./local-worker.mjs";
import { deploySftp } from "./sftp.mjs";
import { nextStep, wrangler } from "./wrangler.mjs";

const sent = path.join(root, ".deploy.vars.new");
const bound = path.join(root, ".deploy.toml"); // next to wrangler.toml, whose paths it has
const make = { ADMIN_TOKEN: randomAdminToken, SEALING_KEYS: randomSealingKey };

try {
  const missing = await missingSecrets();
  const secrets = await keepSecrets(missing);
  const sftp = await deploySftp({ wrangler, say: console.log, folder: path.join(root, "integrations"), build: path.join(root, "build/sftp"), config: bound });
  console.log("==> Deploying");
  const output = await deploy(secrets, sftp);
  const toml = await readFile(path.join(root, "wrangler.toml"), "utf8");
  await publish(gatewayUrl({ env: process.env, output, toml }));
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
  const known = await deployVars();
  const lines = missing.filter((name) => !known[name]).map((name) => `${name}="${make[name]()}"\n`);
  if (!existsSync(DEPLOY_VARS)) lines.unshift("# Secrets of the deployed gateway. Keep a copy of SEALING_KEYS: without it stored credentials cannot be opened.\n");
  await appendFile(DEPLOY_VARS, lines.join(""), { mode: 0o600 });
  console.log(`==> Setting ${missing.join(" and ")}, kept in .deploy.vars`);
  const all = await deployVars();
  return Object.fromEntries(missing.map((name) => [name, all[name]]));
}

async function deploy(secrets, config) {
  const args = ["deploy", ...config];
  if (secrets) {
    await writeFile(sent, JSON.stringify(secrets), { mode: 0o600 });
    args.push("--secrets-file", sent);
  }
  try {
    const { code, output } = await wrangler(args);
    if (code !== 0) throw new Error(`wrangler refused; its reason is above. ${nextStep(output) ?? ""}`);
    return output;
  } finally {
    await rm(sent, { force: true });
    await rm(bound, { force: true });
  }
}

async function publish(url) {
  const { token, source } = adminToken({ env: process.env, vars: await deployVars() });
  if (!url || !token) {
    const missing = url ? "there is no ADMIN_TOKEN in .deploy.vars or the environment" : "wrangler printed no workers.dev address, and wrangler.toml has no PUBLIC_URL";
    console.log(`==> Deployed. integrations/ is not published: ${missing}. By hand:  make publish CAUSEWAY_URL=https://… CAUSEWAY_TOKEN=…`);
    return;
  }
  await untilHealthy(url);
  console.log(`==> Publishing integrations/ to ${url}`);
  if (await publishIntegrations({ url, token })) return;
  throw new Error(`Deployed, but not every integration is published; the reason is above. CAUSEWAY_TOKEN is here ${source}.`);
}
