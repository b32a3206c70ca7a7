// What `make deploy` does about the SFTP Worker, with a wrangler that only notes what it is called with.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "smol-toml";
import { deploySftp, usesSftp } from "../../scripts/sftp.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "causeway-deploy-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const SFTP_FILE = { name: "files", config: { credentials: { format: "sftp", config: {} } } };
const OTHER_FILE = { name: "other", config: { credentials: { key: { format: "api_key" } } } };

function place({ file, isBuilt }) {
  const here = mkdtempSync(path.join(folder, "run-"));
  const [integrations, build, config] = ["integrations", "build", "deploy.toml"].map((name) => path.join(here, name));
  mkdirSync(integrations);
  writeFileSync(path.join(integrations, "one.json"), JSON.stringify(file));
  mkdirSync(build);
  if (isBuilt) writeFileSync(path.join(build, "index.js"), "");
  return { folder: integrations, build, config };
}

/** What it calls wrangler with, says, and returns. */
async function deploy({ file = SFTP_FILE, isBuilt = true, isDeployed = false, refuses = false, choice }) {
  const [calls, said, where] = [[], [], place({ file, isBuilt })];
  const wrangler = async (args) => {
    calls.push(args.slice(0, 2).join(" "));
    const isGood = args[0] === "secret" ? isDeployed : !refuses;
    return { code: isGood ? 0 : 1, output: "" };
  };
  const args = await deploySftp({ wrangler, say: (line) => said.push(line), choice, ...where });
  return { calls, said: said.join("\n"), args, config: where.config };
}

describe("make deploy and the SFTP Worker", () => {
  it("finds integrations that use SFTP, alone or as one of several credentials", async () => {
    const uses = (file) => usesSftp(place({ file }).folder);
    assert.deepEqual(await Promise.all([uses(SFTP_FILE), uses({ config: { credentials: { a: { format: "api_key" }, b: { format: "sftp" } } } }), uses(OTHER_FILE), uses({})]), [true, true, false, false]);
    assert.equal(await usesSftp(path.join(folder, "missing")), false);
  });

  it("deploys it first, and the gateway with the binding", async () => {
    const { calls, args, config } = await deploy({});
    assert.deepEqual([calls, args], [["secret list", "deploy --config"], ["--config", config]]);
    const toml = parse(readFileSync(config, "utf8"));
    assert.deepEqual([toml.name, { ...toml.services[0] }], ["causeway", { binding: "SFTP", service: "causeway-sftp" }]);
  });

  it("leaves it out where no integration uses it, and where it is not wanted", async () => {
    const none = await deploy({ file: OTHER_FILE });
    assert.deepEqual([none.calls, none.args, existsSync(none.config)], [["secret list"], [], false]);
    assert.deepEqual((await deploy({ choice: "off" })).args, []);
    assert.equal((await deploy({ file: OTHER_FILE, choice: "on" })).args.length, 2);
  });

  it("keeps the binding of one that is deployed, even if it cannot be built", async () => {
    const { calls, said, args } = await deploy({ file: OTHER_FILE, isBuilt: false, isDeployed: true });
    assert.deepEqual([calls, args.length], [["secret list"], 2]);
    assert.match(said, /stays as it is deployed.*clang/);
  });

  it("says what is missing where it cannot be built", async () => {
    const { said, args } = await deploy({ isBuilt: false });
    assert.deepEqual(args, []);
    assert.match(said, /without the SFTP Worker, which needs clang/);
  });

  it("ends when the SFTP Worker is refused", async () => {
    await assert.rejects(deploy({ refuses: true }), /make deploy SFTP=off/);
  });
});
