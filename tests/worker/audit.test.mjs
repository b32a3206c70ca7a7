// `make audit` (scripts/audit.mjs): what it refuses, and that it does not wait for a registry that does not answer.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { isAllowed, wrongCrates, wrongLicences, wrongPackages } from "../../scripts/audit.mjs";
import { eachCase } from "./cases.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index";
const DENY = { sources: { "allow-registry": ["https://github.com/rust-lang/crates.io-index"] }, bans: { deny: [{ crate: "rsa", "deny-multiple-versions": true }, { crate: "openssl" }] }, licenses: { allow: ["MIT", "Apache-2.0 WITH LLVM-exception"] } };
const crate = (name, version, more) => ({ name, version, source: CRATES_IO, checksum: "c0ffee", ...more });

describe("what is decided here", () => {
  test("an SPDX expression is met by allowed licences alone", () => {
    const met = ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "(GPL-3.0 OR MIT) AND MIT", "Apache-2.0 WITH LLVM-exception OR GPL-3.0", "MIT AND (MIT OR GPL-3.0)"];
    const unmet = ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND GPL-3.0", "Apache-2.0", "Apache-2.0 WITH Other-exception", "", "MIT MIT", "MIT AND", "mit"];
    assert.deepEqual(met.filter((each) => !isAllowed(each, DENY.licenses.allow)), []);
    assert.deepEqual(unmet.filter((each) => isAllowed(each, DENY.licenses.allow)), []);
  });

  test("a crate from elsewhere, without a checksum, banned or twice is named", async () => {
    const packages = [
      { name: "own", version: "1.0.0" },
      crate("good", "1.0.0"),
      crate("forked", "1.0.0", { source: "git+https://example.com/forked#1", checksum: undefined }),
      crate("mirrored", "1.0.0", { source: "registry+https://example.com/index" }),
      crate("unchecked", "1.0.0", { checksum: undefined }),
      crate("rsa", "0.9.0"),
      crate("rsa", "0.10.0"),
      crate("openssl", "1.0.0"),
    ];
    const wrong = wrongCrates({ package: packages }, DENY).join("\n");
    await eachCase(["forked", "mirrored", "unchecked", "rsa 0.9.0 and 0.10.0", "openssl"], (name) => assert.ok(wrong.includes(name), `${name} in ${wrong}`));
    assert.equal(wrong.split("\n").length, 5, wrong);
    assert.deepEqual(wrongLicences({ packages: [{ name: "a", license: "MIT" }, { name: "b", license: "GPL-3.0" }, { name: "c", license: null }] }, DENY).map((line) => line[0]), ["b", "c"]);
  });

  test("an npm package from elsewhere or without integrity is named", () => {
    const integrity = "sha512-x";
    const packages = { "": {}, "node_modules/a": { integrity }, "node_modules/b": { integrity, resolved: "https://registry.npmjs.org/b" }, "node_modules/c": { integrity, resolved: "git+ssh://git@example.com/c" }, "node_modules/d": {} };
    assert.deepEqual(wrongPackages({ packages }).map((line) => line.split(" ")[0]), ["node_modules/c", "node_modules/d"]);
  });
});

describe("what is asked outside", () => {
  let folder, server, seen;
  let answer = () => {};
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "causeway-audit-"));
    await writeFile(path.join(folder, "Cargo.lock"), "version = 4\n\n[[package]]\nname = \"empty\"\nversion = \"0.1.0\"\n");
    await writeFile(path.join(folder, "Cargo.toml"), '[package]\nname = "empty"\nversion = "0.1.0"\nedition = "2024"\nlicense = "MIT"\n[lib]\npath = "lib.rs"\n');
    await writeFile(path.join(folder, "lib.rs"), "");
    await writeFile(path.join(folder, "deny.toml"), '[licenses]\nallow = ["MIT"]\n[sources]\nallow-registry = []\n[bans]\ndeny = []\n');
    await writeFile(path.join(folder, "package.json"), '{"name":"empty","version":"1.0.0","dependencies":{"left":"1.0.0"}}');
    const packages = { "": { name: "empty", version: "1.0.0", dependencies: { left: "1.0.0" } }, "node_modules/left": { version: "1.0.0", integrity: "sha512-x" } };
    await writeFile(path.join(folder, "package-lock.json"), JSON.stringify({ name: "empty", version: "1.0.0", lockfileVersion: 3, requires: true, packages }));
    server = createServer((request, response) => (seen.push(request.url), answer(request, response))).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs it: `{code, out, seconds}`. `deny` is a script in place of cargo-deny. */
  async function audited({ registry = `http://127.0.0.1:${server.address().port}/`, deny } = {}) {
    seen = [];
    await rm(path.join(folder, ".tools"), { recursive: true, force: true });
    if (deny !== undefined) {
      await mkdir(path.join(folder, ".tools/bin"), { recursive: true });
      await writeFile(path.join(folder, ".tools/bin/cargo-deny"), `#!/bin/sh\ncase "$*" in\n*advisories*) ${deny};;\nesac\n`);
      await chmod(path.join(folder, ".tools/bin/cargo-deny"), 0o755);
    }
    const env = { ...process.env, npm_config_registry: registry, npm_config_cache: await mkdtemp(path.join(folder, "cache-")), AUDIT_SECONDS: "4", CARGO_NET_OFFLINE: "true" };
    const begun = Date.now();
    const { promise, resolve } = Promise.withResolvers();
    execFile(process.execPath, [path.join(ROOT, "scripts/audit.mjs"), folder], { env }, (error, out, err) => resolve({ code: error?.code ?? 0, out: out + err }));
    return { ...(await promise), seconds: (Date.now() - begun) / 1_000 };
  }

  const vulnerable = (severity) => (request, response) => {
    response.setHeader("content-type", "application/json");
    const advisory = { id: 1, url: "https://example.com/1", title: "A hole", severity, vulnerable_versions: "<2.0.0", cwe: [], cvss: { score: 0 } };
    const packument = { name: "left", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": { name: "left", version: "1.0.0" } } };
    response.end(JSON.stringify(request.url.includes("advisories") ? { left: [advisory] } : packument));
  };

  test("a critical advisory of an npm package fails, a lesser one is printed", async () => {
    answer = vulnerable("critical");
    const critical = await audited();
    assert.equal(critical.code, 1, critical.out);
    assert.match(critical.out, /WRONG: advisories of npm packages:\n\s+- left .*critical/);
    assert.ok(seen.some((url) => url.includes("advisories")));
    answer = vulnerable("high");
    const high = await audited();
    assert.equal(high.code, 0, high.out);
    assert.match(high.out, /note: left .*high/);
  });

  test("a registry that is not there, refuses or hangs is skipped with its reason, within the time it has", async () => {
    const unreachable = await audited({ registry: "http://127.0.0.1:9/" });
    answer = (_, response) => response.writeHead(405).end();
    const refusing = await audited();
    answer = () => {};
    const hanging = await audited();
    await eachCase(Object.entries({ unreachable, refusing, hanging }), ([name, { code, out, seconds }]) => {
      assert.equal(code, 0, `${name}: ${out}`);
      assert.match(out, /skipped: advisories of npm packages: \S+/, name);
      assert.ok(seconds < 15, `${name}: ${seconds} s`);
    });
    assert.match(refusing.out, /405/);
  });

  test("cargo-deny's findings fail; its database out of reach, or cargo-deny absent, is skipped with the reason", async () => {
    answer = vulnerable("low");
    const found = await audited({ deny: "echo 'error[vulnerability]: RUSTSEC-2030-0001' >&2; exit 1" });
    assert.equal(found.code, 1, found.out);
    assert.match(found.out, /WRONG: advisories of crates \(RustSec\):[^]*RUSTSEC-2030-0001/);
    const unreached = await audited({ deny: "echo 'failed to fetch advisory database https://example.com' >&2; exit 1" });
    assert.equal(unreached.code, 0, unreached.out);
    assert.match(unreached.out, /skipped: advisories of crates: failed to fetch advisory database/);
    const hanging = await audited({ deny: "sleep 60" });
    assert.equal(hanging.code, 0, hanging.out);
    assert.match(hanging.out, /skipped: advisories of crates: no answer within 4 s/);
    assert.ok(hanging.seconds < 15, `${hanging.seconds} s`);
    const absent = await audited();
    assert.match(absent.out, /skipped: advisories of crates: cargo-deny is not installed|(good|skipped).*advisories of crates/);
  });
});
