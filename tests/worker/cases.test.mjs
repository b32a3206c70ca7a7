import assert from "node:assert/strict";
import { test } from "node:test";
import { eachCase } from "./cases.mjs";

test("every failed case is named, and the others still run", async () => {
  const checked = [];
  const outcome = eachCase([1, 2, 3, 4], (number) => {
    checked.push(number);
    if (number % 2) throw new Error("odd");
  });
  await assert.rejects(outcome, { message: "2 of 4 cases failed:\n- 1\n  odd\n- 3\n  odd" });
  assert.deepEqual(checked, [1, 2, 3, 4]);
});
