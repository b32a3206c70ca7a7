// What the tests of a file share: a folder with files, the servers and the Worker. Each is started once and ended by `after`.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { startAsyncssh } from "./asyncssh.mjs";
import { startOpenssh } from "./openssh.mjs";
import { startWorker } from "./worker.mjs";

export function scene() {
  const folder = mkdtempSync(path.join(tmpdir(), "causeway-sftp-"));
  const root = path.join(folder, "root");
  mkdirSync(root);
  const ends = [() => rmSync(folder, { recursive: true, force: true })];
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  const kept = async (starting) => {
    const started = await starting;
    ends.push(() => started.stop());
    return started;
  };
  return {
    folder,
    root,
    worker: (options) => kept(startWorker(options)),
    openssh: (options) => kept(startOpenssh(folder, root, options)),
    asyncssh: (odd) => kept(startAsyncssh(folder, root, odd)),
    /** What uploads of a file in the root are called until they are complete. */
    parts: (name) => readdirSync(root).filter((one) => one.startsWith(`${name}.`) && /^\.[0-9a-f]{8}\.part$/.test(one.slice(name.length))),
    /** A TCP server; `talk` gets each connection. Its port. */
    async tcp(talk) {
      const sockets = new Set();
      const server = createServer((socket) => {
        sockets.add(socket.on("error", () => {}));
        talk(socket);
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      ends.push(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      return { port: server.address().port, sockets };
    },
    /** A connection to `port` in between: `pass(bytes)` says whether the server's bytes go on; `delay` holds each back. */
    between(port, { pass = () => true, delay = 0 } = {}) {
      return this.tcp((socket) => {
        const server = createConnection({ port, host: "127.0.0.1" }).on("error", () => socket.destroy());
        let total = 0;
        const later = (work) => (delay ? setTimeout(work, delay) : work());
        server.on("data", (bytes) => pass((total += bytes.length)) && later(() => socket.write(bytes)));
        socket.on("data", (bytes) => later(() => server.write(bytes)));
        server.on("close", () => later(() => socket.destroy()));
        socket.on("close", () => later(() => server.destroy()));
      });
    },
    /** A file of the root with so many bytes, that are not all the same. */
    file(name, size) {
      const piece = Buffer.from(Array.from({ length: 4_093 }, (_, index) => (index * 7) % 251));
      const content = Buffer.alloc(size, piece);
      writeFileSync(path.join(root, name), content);
      return content;
    },
  };
}

export const mb = (bytes) => bytes / 1_000_000;

/** Prints what a transfer took. */
export function report(name, size, { ms, cpu, memory }) {
  console.log(`    ${name}: ${(ms / 1_000).toFixed(2)} s, ${(cpu / mb(size)).toFixed(1)} ms of processor time per MB, ${mb(memory).toFixed(0)} MB more resident memory`);
}
