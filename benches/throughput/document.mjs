// The generated part of docs/performance.md: machine, versions, command and tables. The text around it is written by hand.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { root } from "../../scripts/local-worker.mjs";
import { CONNECTIONS, DURATION, ROUNDS } from "./measure.mjs";
import { markdown } from "./tables.mjs";

const FILE = path.join(root, "docs/performance.md");
const BEGIN = "<!-- make bench: begin -->";
/** Processes that ran before the first row. */
const LOAD = loadavg()[0];
const END = "<!-- make bench: end -->";

export async function writeDocument(tables) {
  const text = await readFile(FILE, "utf8");
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${FILE} has no ${BEGIN} and ${END}`);
  const generated = [await setting(), ...tables.map(markdown)].join("\n");
  await writeFile(FILE, `${text.slice(0, before)}${BEGIN}\n${generated}\n${text.slice(after)}`);
  console.log("\n==> docs/performance.md is written");
}

async function setting() {
  const run = async (command, ...args) => (await promisify(execFile)(command, args, { cwd: root })).stdout.trim();
  const version = async (name) => JSON.parse(await readFile(path.join(root, "node_modules", name, "package.json"), "utf8")).version;
  const options = ["ROUNDS", "DURATION", "BENCH_BUILD", "BENCH_OLD"].filter((name) => process.env[name]).map((name) => ` ${name}=${process.env[name]}`);
  const worker = (await readFile(path.join(root, "Cargo.lock"), "utf8")).match(/name = "worker"\nversion = "(.+)"/)[1];
  const rows = [
    ["command", `\`make bench${options.join("")}\``],
    ["date, commit", `${new Date().toISOString().slice(0, 10)}, ${await run("git", "describe", "--always", "--dirty")}`],
    ["machine", `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`],
    ["load before", `${LOAD.toFixed(1)}; where it is not near 0, other programs ran too`],
    ["runtime", `workerd ${await version("workerd")}, Miniflare ${await version("miniflare")}, node ${process.versions.node}`],
    ["compiler", `${await run("rustc", "--version")}, worker ${worker}`],
    ["sent", `${CONNECTIONS} connections, ${ROUNDS} rounds of ${DURATION} s a side where a table says nothing else`],
  ];
  return ["| | |", "|---|---|", ...rows.map(([name, value]) => `| ${name} | ${value} |`), ""].join("\n");
}
