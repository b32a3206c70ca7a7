// A trap of the wasm, which is how a panic ends too. No request can cause one, so the JavaScript that reads requests throws it here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { ok } from "./steps.mjs";

/** Makes a function of driver.js throw for requests whose URL has `mark`; `url` finds it in the names of its parameters. */
function trapping(source, name, mark, url = ([request]) => `${request}.url`) {
  const own = new RegExp(`\\b${name}:\\(\\)=>([\\w$]+)`).exec(source)[1];
  const head = new RegExp(`function ${own.replaceAll("$", "\\$")}\\(([^)]*)\\)\\{`).exec(source);
  const trap = `if(${url(head[1].split(","))}.includes("${mark}"))throw new WebAssembly.RuntimeError("unreachable");`;
  return source.replace(head[0], () => head[0] + trap);
}

let scripted;
before(async () => {
  const edit = (source) => trapping(trapping(trapping(source, "headOf", "trap-front"), "fieldOf", "trap-object"), "send", "trap-page", ([, , url]) => url);
  const pagination = { format: "cursor", config: { cursor_path: "cursor", cursor_key: "after" } };
  const pages = { path: "/pages", response_path: "data", pagination };
  scripted = await startScriptedProvider({ edit, config: { resources: { ships: { list: { path: "/ships", response_path: "data" } }, pages: { list: pages } } } });
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

test("a trap while a list is read page by page ends it, and the calls that wait", async () => {
  let release;
  scripted.answers.set("/ships", (_, n) => (n === 1 ? new Promise((resolve) => (release = resolve)) : { body: { data: [{ id: 2 }] } }));
  let goOn;
  const secondPage = new Promise((resolve) => (goOn = resolve));
  scripted.answers.set("/pages", (_, n) => (n === 1 ? { body: { data: [{ id: 1 }], cursor: "two" } } : secondPage));
  scripted.requests.length = 0;
  const waiting = scripted.call("GET", "/proxy/ships");
  while (!release) await new Promise((resolve) => setTimeout(resolve, 10));
  const pages = await scripted.through("GET", "/proxy/pages", undefined, { "x-all-pages": "true" });
  assert.equal(pages.status, 200);
  goOn({ body: { data: [{ id: 2 }], cursor: "trap-page" } });
  await assert.rejects(pages.text());
  assert.equal((await waiting).status, 500);
  release({ body: { data: [{ id: 1 }] } });
  for (let n = 0; n < 5; n++) await list();
});
