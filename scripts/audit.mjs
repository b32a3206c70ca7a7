// `make audit`: what is linked and what builds and tests it: sources, licences, duplicates, known vulnerabilities.
//
//   node scripts/audit.mjs [folder]
//
// Locally decided, and an error: a crate that is not from crates.io or has no checksum, a licence that deny.toml does not allow,
// a second version of a crypto crate, an npm package from elsewhere or without integrity.
// Asked outside, and skipped with the reason where there is no answer: RustSec's advisories (by cargo-deny, where it is
// installed: `make audit-tools`) and npm's. Each has AUDIT_SECONDS (20).

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";

const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index";
const NPM = "https://registry.npmjs.org/";
const MOST_LINES = 50;
const SECONDS = Number(process.env.AUDIT_SECONDS ?? 20);

/** Whether an SPDX expression can be met by allowed licences. Old crates write `/` for OR. */
export function isAllowed(expression, allowed) {
  const words = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g) ?? [];
  const licence = () => {
    const word = words.shift();
    if (word === "(") {
      const inner = either();
      words.shift();
      return inner;
    }
    const isWith = words[0] === "WITH";
    return allowed.includes(isWith ? [word, ...words.splice(0, 2)].join(" ") : word);
  };
  const all = () => {
    let holds = licence();
    while (words[0] === "AND" && words.shift()) holds = licence() && holds;
    return holds;
  };
  const either = () => {
    let holds = all();
    while (words[0] === "OR" && words.shift()) holds = all() || holds;
    return holds;
  };
  return words.length > 0 && either() && words.length === 0;
}

/** What is wrong with the packages of a Cargo.lock: `[line]`. Those without a source are the project's own. */
export function wrongCrates({ package: packages }, { sources, bans }) {
  const registries = sources["allow-registry"].map((url) => `registry+${url}`);
  const foreign = packages.filter(({ source }) => source !== undefined && !registries.includes(source));
  const unchecked = packages.filter(({ source, checksum }) => source === CRATES_IO && !checksum);
  const versions = (name) => packages.filter((one) => one.name === name).map(({ version }) => version);
  const banned = bans.deny.filter((ban) => versions(ban.crate).length > (ban["deny-multiple-versions"] ? 1 : 0));
  return [
    ...foreign.map(({ name, source }) => `${name} comes from ${source}, not from crates.io`),
    ...unchecked.map(({ name }) => `${name} has no checksum`),
    ...banned.map((ban) => `${ban.crate} ${versions(ban.crate).join(" and ")}: deny.toml allows ${ban["deny-multiple-versions"] ? "one version" : "none"}`),
  ];
}

/** What is wrong with the packages of `cargo metadata`. */
export const wrongLicences = ({ packages }, { licenses: { allow } }) =>
  packages.filter(({ license }) => !isAllowed(license ?? "", allow)).map(({ name, license }) => `${name}: deny.toml does not allow ${license ?? "a crate without a licence"}`);

/** What is wrong with the packages of a package-lock.json. */
export function wrongPackages({ packages }) {
  const installed = Object.entries(packages).filter(([place, { link }]) => place !== "" && !link);
  const foreign = installed.filter(([, { resolved = NPM }]) => !resolved.startsWith(NPM)); // what is not resolved comes from the registry that is set
  const unchecked = installed.filter(([, { integrity, inBundle }]) => !inBundle && !integrity);
  return [...foreign.map(([place, { resolved }]) => `${place} comes from ${resolved}, not from npm's registry`), ...unchecked.map(([place]) => `${place} has no integrity`)];
}

/** Runs a program to its end, or for so long: `{code, out, error}`; `error` says why it has no result. */
function run(program, args, { cwd, seconds = SECONDS }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"], detached: true, env: { ...process.env, GIT_TERMINAL_PROMPT: "0" } });
    const [out, err] = [[], []];
    let error;
    child.stdout.on("data", (piece) => out.push(piece));
    child.stderr.on("data", (piece) => err.push(piece));
    // With all that it has started itself.
    const timer = setTimeout(() => {
      error = `no answer within ${seconds} s`;
      process.kill(-child.pid, "SIGKILL");
    }, seconds * 1_000);
    const end = (code) => {
      clearTimeout(timer);
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString(), error });
    };
    child.on("error", ({ message }) => ((error = message), end(null)));
    child.on("close", end);
  });
}

class Report {
  isGood = true;
  say(line) {
    console.log(`    ${line}`);
  }
  skip(what, reason) {
    this.say(`skipped: ${what}: ${reason.trim().split("\n")[0]}`);
  }
  check(what, wrong) {
    if (wrong.length > 0) this.isGood = false;
    this.say(wrong.length > 0 ? `WRONG: ${what}:\n${wrong.slice(0, MOST_LINES).map((line) => `      - ${line}`).join("\n")}` : `good: ${what}`);
  }
}

/** The licences of all crates; of those of this machine only, where the others cannot be downloaded. */
async function metadata(cwd, report) {
  const args = ["metadata", "--locked", "--format-version", "1", "--all-features"];
  const all = await run("cargo", args, { cwd, seconds: 60 });
  if (all.code === 0) return JSON.parse(all.out);
  report.skip("licences of crates for other machines", all.error ?? all.err);
  const host = /host: (\S+)/.exec((await run("rustc", ["-vV"], { cwd })).out)?.[1] ?? "x86_64-unknown-linux-gnu";
  const own = await run("cargo", [...args, "--offline", "--filter-platform", host], { cwd });
  if (own.code === 0) return JSON.parse(own.out);
  report.skip("licences of crates", own.error ?? own.err);
  return { packages: [] };
}

/** RustSec's advisories, and deny.toml read by the tool it is written for. */
async function cargoDeny(cwd, report) {
  const own = path.join(cwd, ".tools/bin/cargo-deny");
  const program = existsSync(own) ? own : "cargo-deny";
  const { error } = await run(program, ["--version"], { cwd });
  if (error) return report.skip("advisories of crates", "cargo-deny is not installed (make audit-tools)");
  const local = await run(program, ["check", "bans", "licenses", "sources"], { cwd, seconds: 60 });
  report.check("cargo-deny: bans, licences, sources", local.code === 0 ? [] : [local.error ?? local.err]);
  const asked = await run(program, ["check", "advisories"], { cwd });
  const unreached = /failed to fetch advisory database.*/.exec(asked.err)?.[0];
  if (asked.error ?? unreached) return report.skip("advisories of crates", asked.error ?? unreached);
  report.check("advisories of crates (RustSec)", asked.code === 0 ? [] : [asked.err]);
}

/** npm's advisories. No npm package is deployed: they build and test, so what is less than critical is only printed. */
async function npmAudit(cwd, report) {
  const args = ["audit", "--json", "--package-lock-only", "--fetch-retries=0", `--fetch-timeout=${SECONDS * 1_000}`];
  const asked = await run("npm", args, { cwd });
  const answer = asked.error ? {} : JSON.parse(asked.out || "{}");
  if (!answer.vulnerabilities) return report.skip("advisories of npm packages", asked.error ?? answer.message ?? asked.err ?? "no answer");
  const of = (severities) => Object.values(answer.vulnerabilities).filter(({ severity }) => severities.includes(severity));
  const line = ({ name, severity, range }) => `${name} ${range}: ${severity} (npm audit)`;
  for (const one of of(["high", "moderate", "low"])) report.say(`note: ${line(one)}`);
  report.check("advisories of npm packages", of(["critical"]).map(line));
}

export async function audit(cwd) {
  const report = new Report();
  const toml = async (name) => parse(await readFile(path.join(cwd, name), "utf8"));
  const deny = await toml("deny.toml");
  // The SFTP Worker is a crate of its own, with its own versions. RustSec's advisories of it: docs/operations.md.
  for (const [folder, of] of [[".", ""], ["sftp", " of the SFTP Worker"]].filter(([folder]) => existsSync(path.join(cwd, folder, "Cargo.lock")))) {
    const lock = await toml(path.join(folder, "Cargo.lock"));
    report.check(`${lock.package.length} crates${of}: sources, checksums, one version of crypto crates`, wrongCrates(lock, deny));
    const { packages } = await metadata(path.join(cwd, folder), report);
    report.check(`licences of ${packages.length} crates${of}`, wrongLicences({ packages }, deny));
  }
  await cargoDeny(cwd, report);
  const npm = JSON.parse(await readFile(path.join(cwd, "package-lock.json"), "utf8"));
  report.check(`${Object.keys(npm.packages).length - 1} npm packages: sources and integrity`, wrongPackages(npm));
  await npmAudit(cwd, report);
  return report.isGood;
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = (await audit(path.resolve(process.argv[2] ?? path.join(import.meta.dirname, "..")))) ? 0 : 1;
}
