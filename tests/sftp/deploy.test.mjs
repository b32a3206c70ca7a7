// What `make deploy` does about the SFTP Worker and about secrets, with a wrangler that only notes what it is called with.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "smol-toml";
import { deployedSecrets } from "../../scripts/deployed.mjs";
import { deploySftp, usesSftp } from "../../scripts/sftp.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "causeway-deploy-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const SFTP_FILE = { name: "files", config: { credentials: { format: "sftp", config: {} } } };
const OTHER_FILE = { name: "other", config: { credentials: { key: { format: "api_key" } } } };

// What wrangler 4 answers to `secret list`.
const fails = (output) => ({ code: 1, stdout: "", output });
const lists = (stdout, output = stdout) => ({ code: 0, stdout, output });
const DEPLOYED = lists('[\n  {\n    "name": "SEALING_KEYS",\n    "type": "secret_text"\n  }\n]\n');
const NOT_DEPLOYED = fails('✘ [ERROR] Worker "causeway-sftp" not found.\n\n  If this is a new Worker, run `wrangler deploy` first to create it.\n');
const UNKNOWN = {
  "no network": fails("✘ [ERROR] fetch failed\n"),
  "no login": fails("✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.\n"),
  "a token without the right": fails("✘ [ERROR] A request to the Cloudflare API (/accounts/0/workers/scripts/causeway/secrets) failed.\n\n  Authentication error [code: 10000]\n"),
  "no answer": fails(""),
  "an answer that is no list": lists("Not logged in.\n"),
  "a list without names": lists('[{"id": "SEALING_KEYS"}]\n'),
};

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
async function deploy({ file = SFTP_FILE, isBuilt = true, secrets = NOT_DEPLOYED, refuses = false, choice, calls = [] }) {
  const [said, where] = [[], place({ file, isBuilt })];
  const wrangler = async (args) => {
    calls.push(args.slice(0, 2).join(" "));
    if (args[0] === "secret") return secrets;
    return { code: refuses ? 1 : 0, stdout: "", output: "" };
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
    const { calls, said, args } = await deploy({ file: OTHER_FILE, isBuilt: false, secrets: DEPLOYED });
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

  it("deploys nothing while it is not known whether the SFTP Worker is deployed", async () => {
    for (const [why, secrets] of Object.entries(UNKNOWN)) {
      const calls = [];
      await assert.rejects(deploy({ file: OTHER_FILE, secrets, calls }), /which secrets causeway-sftp has, so nothing is deployed/, why);
      assert.deepEqual(calls, ["secret list"], why);
    }
  });
});

describe("make deploy and the secrets", () => {
  const secretsIn = (answer) => deployedSecrets(async () => answer);

  it("reads the names of those that are deployed, after other lines of wrangler", async () => {
    assert.deepEqual(await secretsIn(DEPLOYED), ["SEALING_KEYS"]);
    const warned = lists(`Proxy environment variables detected.\n${DEPLOYED.stdout}`, `▲ [WARNING] An update is available\n${DEPLOYED.stdout}`);
    assert.deepEqual(await secretsIn(warned), ["SEALING_KEYS"]);
    assert.deepEqual(await secretsIn(lists("[]\n")), []);
  });

  it("knows a first deployment by wrangler's own answer only", async () => {
    assert.equal(await secretsIn(NOT_DEPLOYED), undefined);
    assert.equal(await secretsIn(fails("This Worker does not exist on your account. [code: 10007]")), undefined);
    for (const [why, answer] of Object.entries(UNKNOWN)) {
      await assert.rejects(secretsIn(answer), (error) => error.message.includes(answer.output) && /the gateway has, so nothing is deployed[^]*CLOUDFLARE_API_TOKEN/.test(error.message), why);
    }
  });
});
