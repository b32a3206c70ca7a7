// Runs the built SFTP Worker in the real runtime, behind a caller that has the service binding, as the gateway has it.
//
//   const sftp = await startWorker();
//   const { status, body } = await sftp.ask("list", server, { path: "/", limit: 10 });
//   const response = await sftp.open("read", server, { path: "/large" });
//
// Miniflare lets a Worker connect to loopback, where the tests' servers are.

import { channel } from "node:diagnostics_channel";
import { readFile } from "node:fs/promises";
import { Miniflare, NoOpLog } from "miniflare";
import { localSftpWorker } from "../../scripts/local-worker.mjs";

const TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK) of Linux
// Passes the body on in pieces, and reads the rest of it when the SFTP Worker answers early: Node's fetch does not report a response
// whose connection is closed while it sends.
const CALLER = `export default {
  async fetch(request, env) {
    if (!request.body) return env.SFTP.fetch(request);
    const { readable, writable } = new IdentityTransformStream();
    const [reader, writer] = [request.body.getReader(), writable.getWriter()];
    const pass = async () => {
      let isRead = true;
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        if (isRead) await writer.write(piece.value).catch(() => (isRead = false));
      }
      await writer.close().catch(() => {});
    };
    const passing = pass().catch((error) => writer.abort(error).catch(() => {}));
    const response = await env.SFTP.fetch(new Request(request.url, { method: request.method, body: readable }));
    if (!response.ok) await Promise.race([passing, new Promise((resolve) => setTimeout(resolve, 500))]);
    return response;
  },
};`;

/** `edit`: changes the JavaScript of the build before it runs. */
export async function startWorker({ edit = (source) => source } = {}) {
  const sftp = await localSftpWorker();
  const main = sftp.config.manifest.modules["index.js"];
  main.contents = edit(main.contents);
  const caller = {
    config: {
      name: "caller",
      compatibilityDate: sftp.config.compatibilityDate,
      compatibilityFlags: [],
      manifest: { mainModule: "index.js", modulesRoot: "/", modules: { "index.js": { type: "esm", contents: CALLER } } },
      env: { SFTP: { type: "worker", worker: sftp.config.name } },
      exports: {},
    },
    dev: { rootPath: "/" },
  };
  const worker = new Worker();
  await worker.boot([caller, sftp]);
  return worker;
}

class Worker {
  /** What the Worker wrote to the console. */
  logs = [];
  #runtime;
  #process;

  async boot(workers) {
    const children = [];
    const note = ({ process }) => children.push(process);
    channel("child_process").subscribe(note);
    this.#runtime = new Miniflare({ cf: false, log: new NoOpLog(), logRequests: false, telemetry: { enabled: false }, handleStructuredLogs: (log) => this.#log(log), workers });
    this.url = await this.#runtime.ready;
    channel("child_process").unsubscribe(note);
    this.#process = children.find(({ spawnfile }) => spawnfile.includes("workerd"));
  }

  #log(log) {
    this.logs.push(log);
    if (process.env.SHOW_LOGS) console.log(`[${log.level}] ${log.message}`);
  }

  stop() {
    return this.#runtime.dispose();
  }

  /** The response as it comes. `content`: a string, bytes or a stream. */
  open(operation, server, more = {}, { content, signal, timeout = 20_000 } = {}) {
    const head = Buffer.from(JSON.stringify({ server, timeout_ms: timeout, ...more }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    const start = Buffer.concat([length, head]);
    const body = content?.getReader ? prepended(start, content) : Buffer.concat([start, Buffer.from(content ?? "")]);
    return fetch(new URL(`/${operation}`, this.url), { method: "POST", body, duplex: "half", signal });
  }

  /** `{status, body}`, the body parsed. */
  async ask(operation, server, more, options) {
    const response = await this.open(operation, server, more, options);
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  /** The same of an operation that must succeed. */
  async done(operation, server, more, options) {
    const { status, body } = await this.ask(operation, server, more, options);
    if (status !== 200) throw new Error(`${operation}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** The runtime's resident memory, in bytes. */
  async memory() {
    const status = await readFile(`/proc/${this.#process.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1_024;
  }

  /** The processor time of the runtime, in milliseconds. */
  async cpu() {
    const stat = await readFile(`/proc/${this.#process.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
  }

  /** What the work took: its result, `ms`, `cpu` in milliseconds and the most `memory` that was seen, over what there was before. */
  async measure(work) {
    const [cpu, memory, began] = [await this.cpu(), await this.memory(), performance.now()];
    let most = memory;
    const watch = setInterval(async () => (most = Math.max(most, await this.memory())), 50);
    try {
      const result = await work();
      return { result, ms: performance.now() - began, cpu: (await this.cpu()) - cpu, memory: most - memory };
    } finally {
      clearInterval(watch);
    }
  }
}

function prepended(start, stream) {
  const reader = stream.getReader();
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      if (isFirst) {
        isFirst = false;
        return controller.enqueue(start);
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}
