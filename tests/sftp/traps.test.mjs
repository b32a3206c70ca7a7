import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasOpenssh } from "./openssh.mjs";
import { scene } from "./scene.mjs";

const TRAP_BYTES = 13;
// A download of so many bytes ends the instance, as a panic would.
const TRAP = `{
  const Real = FixedLengthStream;
  globalThis.FixedLengthStream = class extends Real {
    constructor(length) {
      if (length === ${TRAP_BYTES}) throw new WebAssembly.RuntimeError("unreachable");
      super(length);
    }
  };
}`;

describe("a trap of the wasm", { skip: !hasOpenssh }, () => {
  const here = scene();

  it("breaks what is under way, leaves no session, and a new instance answers", async () => {
    const worker = await here.worker({ edit: (source) => `${source}\n${TRAP}` });
    const sshd = await here.openssh();
    here.file("large", 200_000_000);
    here.file("trap", TRAP_BYTES);
    const underWay = await worker.open("read", sshd.account, { path: "/large" });
    const reader = underWay.body.getReader();
    await reader.read();
    const { status, body } = await worker.ask("read", sshd.account, { path: "/trap" });
    assert.deepEqual([status, body.error.kind], [502, "connection_lost"]);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    });
    assert.deepEqual(await worker.done("check", sshd.account), {});
    await sshd.idle();
    assert.ok(worker.logs.some(({ message }) => message.includes("The wasm instance has ended")));
  });
});
