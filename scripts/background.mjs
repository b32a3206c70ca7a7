// Makes a file next to the process that runs, for `make dev`, which need not wait for it.

import { spawn, spawnSync } from "node:child_process";

// Both ask for the machine's prerequisites each time, so that make would never say that a file after them is up to date.
const SET_UP = ["-o", ".tools/ready", "-o", "node_modules/ready"];

/** Whether the file is there, and newer than what it is made of. */
export function isMade(file, folder) {
  return spawnSync("make", ["-q", ...SET_UP, file], { cwd: folder, stdio: "ignore" }).status === 0;
}

/** `done`: `{isGood, output}` in the end. `stop` ends the work before; so does the end of this process. */
export function makeInBackground(file, folder) {
  const child = spawn("make", [file], { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  const stop = () => endGroup(child);
  process.once("exit", stop);
  const done = new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ isGood: false, output: message }));
    child.once("close", (code) => resolve({ isGood: code === 0, output }));
  });
  return { done: done.finally(() => process.off("exit", stop)), stop };
}

// With its group, as a compiler outlives the make that started it.
function endGroup({ pid }) {
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended, or never began.
  }
}
