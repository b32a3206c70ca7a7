// Starts provider.mjs: `{provider, stop}`, `provider` the origin of its URLs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export async function startUpstream() {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "provider.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(child.stdout, "data");
  return { provider: `http://127.0.0.1:${String(port).trim()}`, stop: () => child.kill() };
}
