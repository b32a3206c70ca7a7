import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { PASSWORD, hasAsyncssh } from "./asyncssh.mjs";
import { hasOpenssh } from "./openssh.mjs";
import { mb, report, scene } from "./scene.mjs";

const LARGE = 1_200_000_000; // over 1 GiB, where SSH exchanges its keys again
const ROUND_TRIP_MS = 30;

/** The number of bytes, and their digest. */
async function digest(body, each = () => {}) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of body) {
    hash.update(piece);
    size += piece.length;
    each(size);
  }
  return { size, digest: hash.digest("hex") };
}

const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/** Content in pieces of 4 KiB, as a caller's body arrives; `pause` is awaited after so many bytes. */
function inPieces(content, { after = Infinity, pause } = {}) {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent >= after && pause) {
        const waiting = pause;
        pause = undefined;
        await waiting(controller);
      }
      if (sent >= content.length) return controller.close();
      controller.enqueue(content.subarray(sent, sent + 4_096));
      sent += 4_096;
    },
  });
}

describe("transfers over OpenSSH", { skip: !hasOpenssh }, () => {
  const here = scene();
  const file = (name) => path.join(here.root, name);
  let [worker, sshd] = [];
  before(async () => {
    worker = await here.worker();
    sshd = await here.openssh();
  });
  const read = (name, options, account = sshd.account) => worker.open("read", account, { path: `/${name}` }, options);

  it("connects, logs in and lists in a moment", async () => {
    await worker.done("list", sshd.account, { path: "/", limit: 10 });
    const { ms, cpu } = await worker.measure(() => worker.done("list", sshd.account, { path: "/", limit: 10 }));
    console.log(`    connect, log in, list: ${ms.toFixed(0)} ms, ${cpu} ms of processor time`);
    assert.ok(ms < 3_000);
  });

  it("reads 50 MB", async () => {
    const content = here.file("50", 50_000_000);
    const took = await worker.measure(async () => digest((await read("50")).body));
    assert.deepEqual(took.result, { size: content.length, digest: sha256(content) });
    report("50 MB read", content.length, took);
  });

  it("reads 1.2 GB across the exchange of new keys, with flat memory", { timeout: 280_000 }, async () => {
    writeFileSync(file("large"), "");
    truncateSync(file("large"), LARGE); // zeros, that take no place on the disk
    const most = { early: 0, late: 0 };
    const watch = setInterval(async () => {
      const memory = await worker.memory();
      const half = seen < LARGE / 2 ? "early" : "late";
      most[half] = Math.max(most[half], memory);
    }, 50);
    let seen = 0;
    const took = await worker.measure(async () => {
      let [size, isZero] = [0, true];
      const zeros = Buffer.alloc(1_048_576);
      for await (const piece of (await read("large")).body) {
        isZero &&= zeros.subarray(0, piece.length).equals(piece);
        seen = size += piece.length;
      }
      return { size, isZero };
    });
    clearInterval(watch);
    assert.deepEqual(took.result, { size: LARGE, isZero: true });
    report("1.2 GB read", LARGE, took);
    console.log(`    resident memory: ${mb(most.early).toFixed(0)} MB at most in the first half, ${mb(most.late).toFixed(0)} MB in the second`);
    assert.ok(most.late < most.early + 40_000_000);
  });

  it("writes 20 MB", async () => {
    const content = here.file("source", 20_000_000);
    const took = await worker.measure(() => worker.done("write", sshd.account, { path: "/20", size: content.length }, { content: inPieces(content) }));
    assert.equal(took.result.entry.size, content.length);
    assert.ok(readFileSync(file("20")).equals(content));
    report("20 MB written", content.length, took);
  });

  it(`reads and writes 20 MB at ${ROUND_TRIP_MS} ms`, async () => {
    const content = here.file("source", 20_000_000);
    const { port } = await here.between(sshd.port, { delay: ROUND_TRIP_MS / 2 });
    const far = { ...sshd.account, port };
    const written = await worker.measure(() => worker.done("write", far, { path: "/far" }, { content: inPieces(content) }));
    report("20 MB written from afar", content.length, written);
    const got = await worker.measure(async () => digest((await read("far", {}, far)).body));
    assert.equal(got.result.digest, sha256(content));
    report("20 MB read from afar", content.length, got);
    assert.ok(written.ms < 10_000 && got.ms < 10_000);
  });

  it("breaks a download whose server is killed", async () => {
    here.file("200", 200_000_000);
    const response = await read("200");
    assert.equal(response.status, 200);
    let isKilled = false;
    await assert.rejects(
      digest(response.body, (size) => {
        if (size < 1_000_000 || isKilled) return;
        isKilled = true;
        sshd.killSessions();
      }),
    );
    assert.ok(isKilled);
  });

  it("fails an upload whose server is killed", async () => {
    const content = here.file("source", 20_000_000);
    const pause = () => sshd.killSessions();
    const { status, body } = await worker.ask("write", sshd.account, { path: "/killed" }, { content: inPieces(content, { after: 5_000_000, pause }) });
    assert.deepEqual([status, body.error.kind, existsSync(file("killed"))], [502, "connection_lost", false]);
  });

  it("ends the session of each abandoned download", async () => {
    here.file("200", 200_000_000);
    for (let round = 0; round < 6; round += 1) {
      const account = { ...sshd.account, port: (await here.between(sshd.port)).port }; // one has 5 at once
      const downloads = Array.from({ length: 5 }, async () => {
        const stop = new AbortController();
        const response = await read("200", { signal: stop.signal }, account);
        assert.equal(response.status, 200);
        const reader = response.body.getReader();
        await reader.read();
        stop.abort();
      });
      await Promise.all(downloads);
    }
    await sshd.idle();
  });

  it("has 5 transfers of an account and 15 of all at once, and says of others that it is busy", async () => {
    here.file("200", 200_000_000);
    const stop = new AbortController();
    const [others, held] = [[], []]; // the runtime of the tests cancels a response that is held nowhere
    for (let count = 0; count < 3; count += 1) others.push({ ...sshd.account, port: (await here.between(sshd.port)).port });
    const refused = async (account) => {
      const { status, body } = await worker.ask("read", account, { path: "/200" });
      assert.deepEqual([status, body.error.kind], [503, "busy"]);
    };
    for (const account of [sshd.account, ...others.slice(0, 2)]) {
      const responses = await Promise.all(Array.from({ length: 5 }, () => read("200", { signal: stop.signal }, account)));
      held.push(...responses);
      assert.deepEqual(responses.map(({ status }) => status), Array(5).fill(200));
      await refused(account);
    }
    await refused(others[2]);
    await worker.done("stat", sshd.account, { path: "/200" });
    stop.abort();
    assert.ok(held.every(({ bodyUsed }) => !bodyUsed));
    await sshd.idle();
    const response = await read("50");
    assert.equal((await digest(response.body)).size, 50_000_000);
  });

  // The runtime ends the body when the request of the caller Worker ends in the middle: the announced size shows that it is not whole.
  it("removes what a broken upload left", async () => {
    const content = here.file("source", 20_000_000);
    const pause = async (controller) => {
      while (here.parts("broken").length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      controller.error(new Error("the caller broke off"));
    };
    await assert.rejects(worker.open("write", sshd.account, { path: "/broken", size: content.length }, { content: inPieces(content, { after: 5_000_000, pause }) }));
    await sshd.idle();
    assert.deepEqual([existsSync(file("broken")), here.parts("broken")], [false, []]);
  });

  it("stores each of two uploads of a file at once as a whole: what ends last stays", async () => {
    const content = here.file("source", 5_000_000);
    let [second, between] = [];
    const pause = async () => {
      second = await worker.ask("write", sshd.account, { path: "/twice" }, { content: Buffer.alloc(content.length, "2") });
      between = readFileSync(file("twice"));
    };
    const first = await worker.ask("write", sshd.account, { path: "/twice" }, { content: inPieces(content, { after: 1_000_000, pause }) });
    assert.deepEqual([second.status, first.status, here.parts("twice")], [200, 200, []]);
    assert.ok(between.equals(Buffer.alloc(content.length, "2")) && readFileSync(file("twice")).equals(content));
  });
});

describe("transfers over asyncssh", { skip: !hasAsyncssh }, () => {
  const here = scene();
  const file = (name) => path.join(here.root, name);
  let worker;
  before(async () => {
    worker = await here.worker();
  });

  it("reads and writes 20 MB", async () => {
    const content = here.file("20", 20_000_000);
    const { account } = await here.asyncssh();
    const got = await worker.measure(async () => digest((await worker.open("read", account, { path: "/20" })).body));
    assert.equal(got.result.digest, sha256(content));
    report("20 MB read", content.length, got);
    const written = await worker.measure(() => worker.done("write", account, { path: "/copy" }, { content: inPieces(content) }));
    assert.ok(readFileSync(file("copy")).equals(content));
    report("20 MB written", content.length, written);
  });

  it("reads on where a server answers with less than was asked for", async () => {
    const content = here.file("short", 1_000_000);
    const { account } = await here.asyncssh(["short_reads"]);
    const { digest: got } = await digest((await worker.open("read", account, { path: "/short" })).body);
    assert.equal(got, sha256(content));
  });

  it("replaces a file on a server without posix-rename", async () => {
    const { account } = await here.asyncssh(["no_posix_rename"]);
    for (const content of ["first", "second"]) await worker.done("write", account, { path: "/old-server" }, { content });
    assert.equal(readFileSync(file("old-server"), "utf8"), "second");
  });

  it("removes an upload that the server could not store, and passes on its words without the password", async () => {
    const content = here.file("source", 3_000_000);
    const { account } = await here.asyncssh(["full"]);
    const { status, body } = await worker.ask("write", account, { path: "/full" }, { content: inPieces(content) });
    assert.deepEqual([status, body.error.kind, body.error.sftp_status, body.error.server_message], [502, "failure", 4, "disk full, [redacted]"]);
    assert.ok(!JSON.stringify(body).includes(PASSWORD));
    assert.deepEqual([existsSync(file("full")), here.parts("full")], [false, []]);
  });

  it("breaks a download of a file that becomes shorter", async () => {
    here.file("shrinking", 30_000_000);
    const { account } = await here.asyncssh();
    const response = await worker.open("read", account, { path: "/shrinking" });
    let isCut = false;
    await assert.rejects(
      digest(response.body, () => {
        if (!isCut) truncateSync(file("shrinking"), 2_000_000);
        isCut = true;
      }),
    );
  });

  it("shows no names that would be another path", async () => {
    const { account } = await here.asyncssh(["wrong_names"]);
    const { entries } = await worker.done("list", account, { path: "/", limit: 10 });
    assert.deepEqual(entries.map(({ path, type, modified_at, permissions }) => ({ path, type, modified_at, permissions })), [{ path: "/good", type: "other", modified_at: null, permissions: null }]);
  });
});
