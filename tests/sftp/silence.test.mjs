import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { hasOpenssh, freePort } from "./openssh.mjs";
import { scene } from "./scene.mjs";

const LIMIT = 1_000;
const kindOf = ({ status, body }) => `${status} ${body.error?.kind ?? "good"}`;

describe("servers that do not answer", { skip: !hasOpenssh }, () => {
  const here = scene();
  let [worker, sshd] = [];
  before(async () => {
    worker = await here.worker();
    sshd = await here.openssh();
    here.file("200", 200_000_000);
  });
  const at = (port) => ({ ...sshd.account, port });
  /** What it answered and after how long. */
  const timed = async (work) => {
    const began = performance.now();
    const result = await work();
    return { result, ms: performance.now() - began };
  };
  /** Until the Worker has closed all connections to a server. */
  const closed = async ({ sockets }) => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ([...sockets].every((socket) => socket.destroyed || socket.readableEnded)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("A connection is still open.");
  };
  const inTime = (ms) => assert.ok(ms >= LIMIT - 50 && ms < LIMIT + 3_000, `${ms} ms`);

  it("ends at its time-out when a server says nothing, and closes the connection", async () => {
    const silent = await here.tcp((socket) => socket.resume());
    for (const operation of ["host-key", "check", "list"]) {
      const { result, ms } = await timed(() => worker.ask(operation, at(silent.port), { path: "/", limit: 1 }, { timeout: LIMIT }));
      assert.equal(kindOf(result), "504 timeout", operation);
      inTime(ms);
    }
    await closed(silent);
  });

  it("ends at its time-out when a server falls silent within the log in or the SFTP session", async () => {
    for (const bytes of [30, 1_500, 3_000]) {
      const falling = await here.between(sshd.port, { pass: (total) => total <= bytes });
      const { result, ms } = await timed(() => worker.ask("check", at(falling.port), {}, { timeout: LIMIT }));
      assert.equal(kindOf(result), "504 timeout", `after ${bytes} bytes`);
      inTime(ms);
      await closed(falling);
    }
    await sshd.idle();
  });

  it("breaks a download when nothing moves any more", async () => {
    const falling = await here.between(sshd.port, { pass: (total) => total <= 5_000_000 });
    const response = await worker.open("read", at(falling.port), { path: "/200" }, { timeout: LIMIT });
    assert.equal(response.status, 200);
    const { ms } = await timed(() => assert.rejects(response.arrayBuffer()));
    inTime(ms);
    await closed(falling);
    await sshd.idle();
  });

  it("fails an upload when the server takes nothing any more", async () => {
    let isSilent = false;
    const falling = await here.between(sshd.port, { pass: () => !isSilent });
    let sent = 0;
    const content = new ReadableStream({
      pull(controller) {
        isSilent = sent >= 3_000_000;
        if ((sent += 65_536) > 30_000_000) controller.close();
        else controller.enqueue(new Uint8Array(65_536));
      },
    });
    const { result } = await timed(() => worker.ask("write", at(falling.port), { path: "/stuck" }, { content, timeout: LIMIT }));
    assert.equal(kindOf(result), "504 timeout");
    await closed(falling);
    await sshd.idle();
  });

  it("ends a download that is not read, and an upload that is not sent", async () => {
    const response = await worker.open("read", sshd.account, { path: "/200" }, { timeout: LIMIT });
    assert.equal(response.status, 200);
    let isSent = false;
    const content = new ReadableStream({
      pull(controller) {
        if (isSent) return new Promise(() => {});
        isSent = true;
        controller.enqueue(new Uint8Array(10));
      },
    });
    const { result } = await timed(() => worker.ask("write", sshd.account, { path: "/slow" }, { content, timeout: LIMIT }));
    assert.equal(kindOf(result), "504 timeout");
    await sshd.idle();
    await assert.rejects(response.arrayBuffer());
  });

  it("says that there is no server, or that it is not SSH", async () => {
    assert.equal(kindOf(await worker.ask("check", at(await freePort()))), "502 unreachable");
    const http = await here.tcp((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")));
    assert.match(kindOf(await worker.ask("check", at(http.port))), /^502 (unreachable|connection_lost)$/);
    const hanging = await here.tcp((socket) => socket.destroy());
    assert.match(kindOf(await worker.ask("check", at(hanging.port))), /^502 (unreachable|connection_lost)$/);
    const garbage = await here.tcp((socket) => socket.write(`SSH-2.0-garbage\r\n${"\0".repeat(100_000)}`));
    assert.equal(kindOf(await worker.ask("check", at(garbage.port))), "502 connection_lost");
    assert.equal(kindOf(await worker.ask("check", sshd.account)), "200 good");
  });
});
