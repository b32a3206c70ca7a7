// `make dev`: the built Worker in workerd on this machine, with storage on disk, integrations published.
// Miniflare as a library, not `wrangler dev`: ready in under a second, one child process that ends with this one,
// no keyboard handling, no log or registry folders in the home directory, no inspector port two runs could fight for.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Log, LogLevel, Miniflare } from "miniflare";
import { isMade, makeInBackground } from "./background.mjs";
import { devVars } from "./dev-vars.mjs";
import { localSftpWorker, localWorker, root } from "./local-worker.mjs";
import { startPlayground } from "./playground.mjs";
import { publishChanged } from "./publish.mjs";
import { CLANG } from "./sftp.mjs";

const HOST = "127.0.0.1";
const SQLITE_BUSY = 5;
const port = Number(process.env.PORT || 8787);
const state = path.resolve(root, process.env.STATE || ".state");
const shown = state.startsWith(root) ? path.relative(root, state) : state;
const url = `http://${HOST}:${port}`;
const sftpBuild = process.env.SFTP_BUILD; // empty where this machine cannot build it

let gateway;
let lock;
let sftp;
let isEnding = false;
process.on("uncaughtException", (error) => {
  console.error(`\nmake dev: ${error.message}`);
  return end(1);
});
await refuseTakenPort();
const { vars, isNew } = await devVars(path.resolve(root, process.env.DEV_VARS || ".dev.vars"));
if (isNew) console.log("==> Made .dev.vars with random secrets");

console.log(`==> Starting the Worker on ${url}, storage in ${shown}`);
await mkdir(state, { recursive: true });
lock = lockState();
const hasSftp = sftpBuild ? isMade(sftpBuild, root) : existsSync(path.join(root, "build/sftp/index.js"));
if (!hasSftp && sftpBuild) console.log("==> Without SFTP at first: its Worker is built in the background (first time: 2-3 minutes)");
else if (!hasSftp) console.log(`==> Without SFTP, whose Worker needs clang (${CLANG}, then make dev again)`);
gateway = new Miniflare(await options({ hasSftp }));
endWithParent();
await gateway.ready;
// Miniflare's own handlers end us on SIGHUP even under nohup.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.removeAllListeners(signal).on(signal, () => (signal !== "SIGHUP" || process.stdout.isTTY) && end(0));
}
await healthy();

console.log("==> Publishing integrations/");
const files = { folder: path.join(root, "integrations"), record: path.join(state, "published.json") };
if (!(await publishChanged({ url, token: vars.ADMIN_TOKEN, ...files }))) {
  console.log("    Not everything is published: correct it and start again. The rest works.");
}

console.log("==> Starting the playground");
const playground = await startPlayground({ url, admin: vars.ADMIN_TOKEN, state, port: port + 1 }).catch(({ message }) => [`Without the playground: ${message}`]);

console.log(`
Causeway is ready.
  Address      ${url}
  Admin token  ${vars.ADMIN_TOKEN}
  The API      ${url}/docs
${playground.join("\n")}
Ctrl-C ends it; storage stays in ${shown}.`);
if (!hasSftp && sftpBuild) await addSftp();

async function options({ hasSftp }) {
  const sftpWorker = hasSftp ? await localSftpWorker() : undefined;
  const services = sftpWorker && { SFTP: sftpWorker.config.name };
  const main = await localWorker({ vars: { LOG_CALLS: "all", ...vars }, services, assets: true });
  return {
    host: HOST,
    port,
    cf: false, // else it asks the network where we are
    log: new Log(LogLevel.WARN),
    logRequests: false,
    telemetry: { enabled: false },
    resourcePersistencePath: state,
    workers: sftpWorker ? [main, sftpWorker] : [main],
  };
}

// Miniflare starts the runtime again for another Worker: storage stays, calls under way break.
async function addSftp() {
  sftp = makeInBackground(sftpBuild, root);
  const { isGood, output } = await sftp.done;
  if (isEnding) return;
  if (!isGood) {
    console.log(`\n==> Still without SFTP, whose Worker could not be built:\n${output}`);
    return;
  }
  try {
    await gateway.setOptions(await options({ hasSftp: true }));
    await healthy();
    console.log("\n==> With SFTP: its Worker is built, and the gateway started again with it");
  } catch (error) {
    if (!isEnding) throw error;
  }
}

async function healthy() {
  const deadline = Date.now() + 30_000;
  let last;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`${url}/health`);
      if (response.ok) return;
      last = `${response.status} ${await response.text()}`;
    } catch (error) {
      last = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`GET ${url}/health did not answer 200 within 30 s. Last: ${last}`);
}

// workerd's own message about a taken port does not say what to do.
function refuseTakenPort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) =>
      reject(error.code === "EADDRINUSE" ? new Error(`Port ${port} is taken. End what uses it (ss -ltnp 'sport = :${port}'), or choose another: make dev PORT=${port + 1}`) : error),
    );
    probe.listen(port, HOST, () => probe.close(resolve));
  });
}

// Two runtimes on one storage folder would each believe to be the only writer. SQLite's lock is one of the operating
// system: it is free as soon as its process is gone, however that ended. A process number in a file is not.
function lockState() {
  const lock = new DatabaseSync(path.join(state, "lock"));
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    if (error.errcode !== SQLITE_BUSY) throw error;
    throw new Error(`${shown} is in use by another \`make dev\`. End that one, or choose another folder: make dev STATE=.state-2`);
  }
  return lock;
}

// `kill` of make alone reaches no child of it: when make is gone, so are we.
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(0), 500).unref();
}

async function end(code) {
  isEnding = true;
  sftp?.stop();
  await Promise.race([gateway?.dispose(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
  lock?.close();
  process.exit(code);
}
