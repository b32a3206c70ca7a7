// `make dev` (scripts/dev.mjs) without its build, which the tests have done, with a state of its own; and the commands of a page of docs/,
// which are run as the page has them.
//
//   const dev = await startMakeDev("docs/quickstart.md");
//   const [page] = await dev.run(dev.block("2 Call"));     // the first block under this heading: the lines of its output, parsed

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { root } from "../../scripts/local-worker.mjs";
import { eventually } from "./steps.mjs";

const READY_SECONDS = 120;

/** `page`: its path below the root. */
export async function startMakeDev(page) {
  const folder = await mkdtemp(path.join(tmpdir(), "causeway-dev-"));
  const dev = new MakeDev(folder, blocksOf(await readFile(path.join(root, page), "utf8")));
  await dev.boot();
  return dev;
}

/** heading → its blocks of shell commands */
const blocksOf = (text) => new Map(text.split(/^## /m).slice(1).map((part) => [part.split("\n")[0], [...part.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block)]));

class MakeDev {
  /** What it has printed since its start. */
  output = "";
  #process;
  #blocks;
  #shell;

  constructor(folder, blocks) {
    this.folder = folder;
    this.#blocks = blocks;
    this.#shell = [...blocks.values()].flat().find((block) => block.includes(".state/playground.env"));
  }

  async boot() {
    this.output = "";
    const env = { ...process.env, PORT: String(await freePorts()), STATE: path.join(this.folder, "state"), DEV_VARS: path.join(this.folder, "dev.vars") };
    this.#process = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/dev.mjs"], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.on("data", (chunk) => (this.output += chunk));
    await eventually(() => assert.match(this.output, /Ctrl-C ends it/, this.output.slice(-2_000)), READY_SECONDS);
  }

  block(heading, n = 0) {
    return this.#blocks.get(heading)[n];
  }

  /** Runs blocks of the page in one shell, after the block that sets it up: the lines of the output. */
  async run(...commands) {
    const script = [this.#shell.replace(".state/", `${this.folder}/state/`), ...commands].join("\n");
    const { stdout } = await promisify(execFile)("bash", ["-euc", script], { cwd: root });
    return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Runs the command that was printed after this name. */
  paste(name) {
    const [, command] = this.output.match(new RegExp(`${name} +(curl .*)`));
    return promisify(execFile)("bash", ["-euc", command.replace("curl", "curl -s")]);
  }

  async end() {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exit;
  }

  async stop() {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port of which the next one is free, too. */
async function freePorts() {
  for (;;) {
    const first = createServer().listen(0, "127.0.0.1");
    await once(first, "listening");
    const { port } = first.address();
    const second = createServer();
    const isFree = await new Promise((resolve) => second.once("error", () => resolve(false)).listen(port + 1, "127.0.0.1", () => resolve(true)));
    for (const server of [first, second]) server.close();
    if (isFree) return port;
  }
}
