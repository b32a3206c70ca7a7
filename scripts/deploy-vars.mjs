// The secrets of the deployed gateway that this machine keeps, in .deploy.vars: Cloudflare does not show them again.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";
import { root } from "./local-worker.mjs";

export const DEPLOY_VARS = path.join(root, ".deploy.vars");

export async function deployVars() {
  return existsSync(DEPLOY_VARS) ? parseEnv(await readFile(DEPLOY_VARS, "utf8")) : {};
}

// What the gateway would refuse, with all its calls: src/account/seal.rs and src/settings/variables.rs.
const PROBLEMS = {
  ADMIN_TOKEN: (value) => (value.length < 24 ? "has fewer than 24 characters" : undefined),
  SEALING_KEYS: (value) => {
    const keys = sealingKeys(value);
    if (keys.length === 0 || !keys.every(isSealingKey)) return "is no list of `id:base64` of 32 bytes, with commas between";
    return new Set(keys.map(([id]) => id)).size < keys.length ? "names one id twice" : undefined;
  },
};

const sealingKeys = (value) => value.split(",").map((entry) => entry.trim()).filter(Boolean).map((entry) => entry.split(/:(.*)/s));

function isSealingKey([id, key = ""]) {
  const bytes = Buffer.from(key, "base64");
  return /^[A-Za-z0-9_-]{1,32}$/.test(id) && bytes.length === 32 && bytes.toString("base64") === key;
}

/** The ids in a value of SEALING_KEYS, in its order. */
export const sealingIds = (value) => sealingKeys(value).map(([id]) => id);

/** The value of a secret that may be sent; an error where it is missing or cannot be right. */
export function secretToSend(name, vars) {
  const problem = PROBLEMS[name];
  if (!problem) throw new Error(`Say which secret: make secret NAME=${Object.keys(PROBLEMS).join(" or NAME=")}`);
  const value = vars[name];
  if (!value) throw new Error(`.deploy.vars has no ${name}: write the value there first (docs/operations.md).`);
  const found = problem(value);
  if (found) throw new Error(`${name} in .deploy.vars ${found}, so it is not sent.`);
  return value;
}
