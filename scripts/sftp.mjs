// What `make deploy` does about the SFTP Worker: it is deployed, and bound to the gateway, where an integration uses SFTP.

import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";
import { deployedSecrets } from "./deployed.mjs";
import { root } from "./local-worker.mjs";
import { nextStep } from "./wrangler.mjs";

export const CLANG = "apt-get install -y clang";
const BINDING = "SFTP";

/** Whether the credential of a file, or one of several, has the format. */
const hasSftp = ({ config = {} }) => [config.credentials, ...Object.values(config.credentials ?? {})].some((one) => one?.format === "sftp");

/** Whether a file of a folder of integrations uses SFTP. A file that is no JSON is for the gateway to refuse. */
export async function usesSftp(folder) {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => readFile(path.join(folder, name), "utf8")));
  return files.some((text) => {
    try {
      return hasSftp(JSON.parse(text));
    } catch {
      return false;
    }
  });
}

/** The text of wrangler.toml, with the service binding. */
export const withBinding = (toml, service) => `${toml}\n[[services]]\nbinding = "${BINDING}"\nservice = "${service}"\n`;

/**
 * Deploys the SFTP Worker where it is wanted: an integration of `folder` uses it, or it is deployed already, for integrations that
 * were published otherwise. Returns the arguments with which the gateway is deployed. `SFTP=on` and `SFTP=off` decide instead.
 */
export async function deploySftp({ wrangler, say, folder, build, config, choice = process.env.SFTP }) {
  if (choice === "off") return [];
  const { name } = parse(await readFile(path.join(root, "sftp/wrangler.toml"), "utf8"));
  const isDeployed = (await deployedSecrets(wrangler, name)) !== undefined;
  if (!isDeployed && choice !== "on" && !(await usesSftp(folder))) return [];
  if (existsSync(path.join(build, "index.js"))) {
    say("==> Deploying the SFTP Worker");
    const { code, output } = await wrangler(["deploy", "--config", "sftp/wrangler.toml"]);
    if (code !== 0) throw new Error(`wrangler refused the SFTP Worker; its reason is above. ${nextStep(output) ?? ""} Without it: make deploy SFTP=off`);
  } else if (isDeployed) {
    say(`==> The SFTP Worker stays as it is deployed: building it needs clang (${CLANG})`);
  } else {
    say(`==> Deploying without the SFTP Worker, which needs clang (${CLANG}): accounts that use SFTP get 501`);
    return [];
  }
  await writeFile(config, withBinding(await readFile(path.join(root, "wrangler.toml"), "utf8"), name));
  return ["--config", config];
}
