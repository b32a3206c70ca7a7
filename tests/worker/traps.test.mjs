// A trap of the wasm, which is how a panic ends too. No request can cause one, so the JavaScript that reads requests throws it here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { ok } from "./steps.mjs";

/** Makes a function of driver.js, `(request, …)`, throw for requests whose URL has `mark`. */
function trapping(source, name, mark) {
  const own = new RegExp(`\\b${name}:\\(\\)=>([\\w$]+)`).exec(source)[1];
  const head = new RegExp(`function ${own.replaceAll("$", "\\$")}\\(([\\w$]+)[^)]*\\)\\{`).exec(source);
  const trap = `if(${head[1]}.url.includes("${mark}"))throw new WebAssembly.RuntimeError("unreachable");`;
  return source.replace(head[0], () => head[0] + trap);
}

let scripted;
before(async () => {
  const edit = (source) => trapping(trapping(source, "headOf", "trap-front"), "fieldOf", "trap-object");
  scripted = await startScriptedProvider({ edit, config: { resources: { ships: { list: { path: "/ships", response_path: "data" } } } } });
  scripted.answers.set("/ships", () => ({ body: { data: [{ id: 1 }] } }));
});
after(() => scripted?.stop());

const list = async () => ok(await scripted.call("GET", "/proxy/ships"), 200);

for (const [where, mark] of [["front Worker", "trap-front"], ["object", "trap-object"]]) {
  test(`after a trap in the ${where}, its request fails and the next one is answered by a new instance`, async () => {
    await list();
    for (let n = 0; n < 3; n++) {
      assert.equal((await scripted.call("GET", `/proxy/ships?${mark}=1`)).status, 500);
      await list();
    }
  });

  test(`a trap in the ${where} ends the calls that wait, and what they waited for reaches no later instance`, async () => {
    let release;
    const provider = new Promise((resolve) => (release = resolve));
    scripted.answers.set("/ships", (_, n) => (n === 1 ? provider : { body: { data: [{ id: 2 }] } }));
    scripted.requests.length = 0;
    const waiting = scripted.call("GET", "/proxy/ships");
    while (scripted.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await scripted.call("GET", `/proxy/ships?${mark}=1`)).status, 500);
    assert.equal((await waiting).status, 500);
    release({ body: { data: [{ id: 1 }] } });
    for (let n = 0; n < 5; n++) await list();
  });
}
