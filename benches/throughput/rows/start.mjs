// A fresh process: until the Worker is instantiated, its first answer, and its first proxied call, whose object and configuration are
// cold. The storage is that of an earlier process.

import { accounts, apiKeyFile, startGateway } from "../gateway.mjs";
import { median, processorTime } from "../measure.mjs";
import { callsOf } from "./calls.mjs";

const STARTS = Number(process.env.STARTS || 5);

export async function start({ runtimes, builds, provider }) {
  const sides = [await plainSide(runtimes, provider)];
  for (const build of builds) sides.push(await gatewaySide(runtimes, build, provider));
  for (let n = 0; n < STARTS; n++) {
    for (const side of n % 2 === 0 ? sides : sides.toReversed()) side.starts.push(await measured(side));
  }
  const typical = (side, key) => median(side.starts.map((start) => start[key])).toFixed(0);
  const keys = ["ready", "readyCost", "health", "healthCost", "firstCall", "firstCallCost", "secondCall"];
  return {
    title: `Start of a fresh process, milliseconds, median of ${STARTS}`,
    columns: ["", "until ready", "its CPU", "first /health", "its CPU", "first call", "its CPU", "second call"],
    rows: sides.map((side) => [side.name, ...keys.map((key) => typical(side, key))]),
    sides: sides.map(({ name, starts }) => ({ name, starts })),
  };
}

async function measured({ begin, health, call }) {
  const started = performance.now();
  const { url, pid, stop } = await begin();
  const ready = performance.now() - started;
  const readyCost = processorTime(pid);
  const first = await timed(pid, url + health);
  const second = await timed(pid, url + call.path, call.headers);
  const third = await timed(pid, url + call.path, call.headers);
  await stop();
  return { ready, readyCost, health: first.elapsed, healthCost: first.cost, firstCall: second.elapsed, firstCallCost: second.cost, secondCall: third.elapsed };
}

/** A request with no other at the same time: how long it takes, and what it costs. */
async function timed(pid, url, headers) {
  const [begin, before] = [performance.now(), processorTime(pid)];
  const answer = await fetch(url, { headers });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return { elapsed: performance.now() - begin, cost: processorTime(pid) - before };
}

async function plainSide(runtimes, provider) {
  const begin = () => runtimes.javascript("passthrough", { UPSTREAM: provider, KEY: "key-1" });
  return { name: "JavaScript, through an object", begin, health: "/health", call: { path: "/object/v1/ships/1" }, starts: [] };
}

async function gatewaySide(runtimes, { name, folder: build }, provider) {
  const folder = await runtimes.folder();
  const gateway = await startGateway(runtimes, build, await apiKeyFile(provider), { folder });
  const [account] = await accounts(gateway, gateway.install, 1);
  const { url, headers } = callsOf(gateway, account);
  await gateway.stop();
  const begin = () => runtimes.gateway(build, gateway.secrets, { folder });
  return { name, begin, health: "/health", call: { path: url.slice(gateway.url.length), headers }, starts: [] };
}
