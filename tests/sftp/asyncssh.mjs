// The server of asyncssh_server.py. make puts asyncssh into .tools (scripts/asyncssh); without python3 these tests are skipped.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/local-worker.mjs";
import { makeKey, publicLine } from "./openssh.mjs";

const PYTHON = process.env.ASYNCSSH_PYTHON ?? path.join(root, ".tools/asyncssh/bin/python");
export const hasAsyncssh = existsSync(PYTHON);
export const PASSWORD = "correct-horse-7";
let keys = 0;

/** `odd`: what it does that others do not. */
export async function startAsyncssh(folder, files, odd = []) {
  keys += 1;
  const hostKey = makeKey(folder, `asyncssh-${keys}`, "-t", "ed25519");
  const settings = { root: files, host_key: hostKey, password: PASSWORD, odd };
  const child = spawn(PYTHON, [path.join(import.meta.dirname, "asyncssh_server.py"), JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit"] });
  const server = new Asyncssh(child);
  const port = await server.port;
  server.account = { host: "127.0.0.1", port, username: "password", password: PASSWORD, host_keys: [publicLine(hostKey)], root: files };
  return server;
}

class Asyncssh {
  /** What it reported: `{event, username}`. */
  events = [];

  constructor(child) {
    this.child = child;
    const { promise, resolve } = Promise.withResolvers();
    this.port = promise;
    createInterface(child.stdout).on("line", (line) => (/^\d+$/.test(line) ? resolve(Number(line)) : this.events.push(JSON.parse(line))));
  }

  /** Until it reported something, or for five seconds. */
  async reported(event) {
    for (let attempt = 0; attempt < 100 && !this.events.some((one) => one.event === event); attempt += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    return this.events.map((one) => one.event);
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }
}
