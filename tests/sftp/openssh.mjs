// OpenSSH's sshd on loopback, as an ordinary process of this user. It takes keys only: a password would be one of the machine's users.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, readdir, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { userInfo } from "node:os";
import path from "node:path";

const SSHD = ["/usr/sbin/sshd", "/usr/bin/sshd", "/opt/homebrew/sbin/sshd"].find(existsSync);
export const hasOpenssh = SSHD !== undefined;

/** A key pair of ssh-keygen in a folder: the path of the private key. */
export function makeKey(folder, name, ...options) {
  const file = path.join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-C", "", "-N", "", "-f", file, ...options]);
  return file;
}

export const publicLine = (file) => readFileSync(`${file}.pub`, "utf8").trim();

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Until something listens. */
export async function listening(port) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise((resolve) => {
      const socket = createConnection({ port, host: "127.0.0.1" });
      socket.once("connect", () => resolve(socket.end() && true)).once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing listens on port ${port}.`);
}

/** `parent` gets a folder with the keys; `root` is what callers see as /. */
export async function startOpenssh(parent, root, options = []) {
  const folder = await mkdtemp(path.join(parent, "sshd-"));
  const hostKeys = { ed25519: makeKey(folder, "host-ed25519", "-t", "ed25519"), rsa: makeKey(folder, "host-rsa", "-t", "rsa", "-b", "2048") };
  const user = makeKey(folder, "user", "-t", "ed25519");
  const authorized = path.join(folder, "authorized_keys");
  await writeFile(authorized, `${publicLine(user)}\n`, { mode: 0o600 });
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...Object.values(hostKeys).map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${authorized}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxStartups 200",
    "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp",
    ...options,
  ];
  const file = path.join(folder, "config");
  await writeFile(file, `${config.join("\n")}\n`);
  if (process.getuid() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 }); // where it drops privileges
  const server = new Openssh(spawn(SSHD, ["-D", "-e", "-f", file], { stdio: ["ignore", "ignore", "pipe"] }), port);
  await listening(port);
  const key = await readFile(user, "utf8");
  server.account = { host: "127.0.0.1", port, username: userInfo().username, private_key: key, host_keys: [publicLine(hostKeys.ed25519)], root };
  server.authorize = (line) => writeFile(authorized, `${publicLine(user)}\n${line}\n`, { mode: 0o600 });
  server.hostKeys = hostKeys;
  return server;
}

class Openssh {
  log = "";

  constructor(child, port) {
    this.child = child;
    this.port = port;
    child.stderr.on("data", (piece) => (this.log += piece));
  }

  /** The processes of its sessions. */
  async sessions() {
    const found = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent === this.child.pid) found.push(Number(pid));
    }
    return found;
  }

  /** Until no session is left. */
  async idle(ms = 5_000) {
    const deadline = Date.now() + ms;
    let sessions;
    do {
      sessions = await this.sessions();
      if (sessions.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (Date.now() < deadline);
    throw new Error(`${sessions.length} sessions are left after ${ms} ms.`);
  }

  /** SIGKILL to what serves the sessions; the connections end without a word. */
  async killSessions() {
    const parents = await this.sessions();
    for (const pid of await this.#children(parents)) process.kill(pid, "SIGKILL");
    for (const pid of parents) process.kill(pid, "SIGKILL");
  }

  async #children(parents) {
    const found = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      if (parents.includes(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]))) found.push(Number(pid));
    }
    return found;
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
  }
}
