// Runs the `causeway` command, which make has built: its path is in CAUSEWAY.

import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { root } from "./local-worker.mjs";

/** Publishes every file of integrations/; what it prints is seen. Says whether all went well. */
export async function publishIntegrations({ url, token }) {
  const folder = path.join(root, "integrations");
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".json")).sort();
  if (files.length === 0) return true;
  const args = ["publish", ...files.map((file) => path.join("integrations", file)), "--to", url];
  return (await causeway(args, { CAUSEWAY_TOKEN: token })) === 0;
}

function causeway(args, env) {
  const program = path.resolve(root, process.env.CAUSEWAY ?? "target/debug/causeway");
  const child = spawn(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
}
