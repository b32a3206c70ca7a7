// How `make dev` makes the SFTP Worker while the gateway runs: on a Makefile that makes small files.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { isMade, makeInBackground } from "../../scripts/background.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "causeway-dev-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// As in the Makefile of the repository: what is made needs a set-up, which asks for the prerequisites each time.
writeFileSync(
  path.join(folder, "Makefile"),
  `built: source | .tools/ready
	@echo building; cp source built
broken: | .tools/ready
	@echo "error: no such crate" >&2; exit 1
slow: | .tools/ready
	@(while :; do echo >>beats; sleep 0.05; done) & wait
.tools/ready: | prerequisites
	@mkdir -p .tools; touch $@
prerequisites:
	@true
.PHONY: prerequisites
`,
);
writeFileSync(path.join(folder, "source"), "content");

const beats = path.join(folder, "beats");
const size = () => (existsSync(beats) ? statSync(beats).size : 0);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether what `slow` started is at work: it writes a byte every 50 ms. */
async function isAtWork() {
  const before = size();
  await wait(1_000);
  return size() > before;
}

describe("make dev and the SFTP Worker", () => {
  it("knows whether it is there and up to date", async () => {
    assert.equal(isMade("built", folder), false);
    assert.deepEqual(await makeInBackground("built", folder).done, { isGood: true, output: "building\n" });
    assert.equal(isMade("built", folder), true);
    const later = new Date(Date.now() + 10_000);
    utimesSync(path.join(folder, "source"), later, later);
    assert.equal(isMade("built", folder), false);
  });

  it("has the output of a build that fails", async () => {
    const { isGood, output } = await makeInBackground("broken", folder).done;
    assert.equal(isGood, false);
    assert.match(output, /error: no such crate/);
  });

  it("ends a build with all that it started", async () => {
    const { done, stop } = makeInBackground("slow", folder);
    assert.ok(await isAtWork());
    stop();
    assert.equal((await done).isGood, false);
    assert.ok(!(await isAtWork()));
  });

  it("ends a build when its own process ends", async () => {
    const script = `
      import { makeInBackground } from ${JSON.stringify(new URL("../../scripts/background.mjs", import.meta.url).href)};
      makeInBackground("slow", ${JSON.stringify(folder)});
      process.stdin.once("end", () => process.exit()).resume();`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["pipe", "ignore", "inherit"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    assert.ok(await isAtWork());
    child.stdin.end();
    assert.equal(await ended, 0);
    assert.ok(!(await isAtWork()));
  });
});
