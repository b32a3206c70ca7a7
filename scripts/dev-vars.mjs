// The local secrets and switches: reads .dev.vars (KEY=value lines), and makes it when it is missing.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

export const randomAdminToken = () => `adm_${randomBytes(32).toString("base64url")}`;
/** One entry of SEALING_KEYS: `id:base64` of 32 random bytes. The id tells later which key sealed a value. */
export const randomSealingKey = () => `k${Math.floor(Date.now() / 1000)}:${randomBytes(32).toString("base64")}`;

const fresh = () => `# Local secrets and switches, made by \`make dev\`. Never commit, never deploy. Delete with .state to start afresh:
# what is stored in .state opens only with the SEALING_KEYS it was stored under.
ADMIN_TOKEN="${randomAdminToken()}"
SEALING_KEYS="${randomSealingKey()}"

# The local runtime has no jurisdictions.
EU_JURISDICTION="off"
# Plain-http and private upstreams (a server on this machine) may be called.
ALLOW_PRIVATE_UPSTREAMS="true"
`;

/** Returns `{vars, isNew}`. */
export async function devVars(file) {
  const isNew = !existsSync(file);
  if (isNew) await writeFile(file, fresh(), { mode: 0o600, flag: "wx" });
  const vars = parseEnv(await readFile(file, "utf8"));
  const missing = ["ADMIN_TOKEN", "SEALING_KEYS"].filter((name) => !vars[name]);
  if (missing.length > 0) throw new Error(`${file} has no ${missing.join(" and no ")}: add it, or delete the file to have it written again.`);
  return { vars, isNew };
}
