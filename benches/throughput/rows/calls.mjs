// Proxied calls: one record streamed, and a page cut out of its envelope.

import { accounts, apiKeyFile, hasEdgeCalls, install, startGateway } from "../gateway.mjs";
import { alternate } from "../measure.mjs";
import { comparison } from "../tables.mjs";

/** GET of one record: the gateway through the account's object and leased, with JavaScript and the floors of both ways. */
export async function proxy({ runtimes, builds, provider }) {
  const path = "/v1/ships/1";
  const plain = await plainSides(runtimes, provider);
  const sides = [
    plain.javascript("JavaScript, bare pass-through", `/worker${path}`),
    plain.javascript("JavaScript, through an object", `/object${path}`),
    plain.floor("FLOOR regional, JavaScript", `/regional${path}`),
    plain.rust("FLOOR regional, Rust futures", `/regional${path}`),
    plain.floor("FLOOR leased, JavaScript", `/leased${path}`),
    plain.rust("FLOOR leased, Rust futures", `/leased${path}`),
  ];
  for (const build of builds) sides.push(...(await gatewaySides(runtimes, build, provider)));
  return comparison("GET of one record of 1 KB, body streamed", await alternate(sides));
}

/** A list of 100 records, 93 KB. */
export async function list({ runtimes, builds, provider }) {
  const plain = await plainSides(runtimes, provider);
  const sides = [
    plain.javascript("JavaScript, parsed and written again", "/list/v1/ships"),
    plain.floor("FLOOR list, JavaScript", "/list/v1/ships"),
    plain.rust("FLOOR list, Rust futures", "/list/v1/ships"),
  ];
  for (const { name, folder } of builds) {
    const gateway = await startGateway(runtimes, folder, await apiKeyFile(provider));
    const [account] = await accounts(gateway, gateway.install, 1);
    sides.push(callSide(gateway, `${name}, cut`, account, "/proxy/ships"));
  }
  return comparison("List of 100 records, 93 KB, cut out of its envelope", await alternate(sides));
}

/** What autocannon takes for calls of one account. */
export const callsOf = ({ url, token }, { id }, path = "/proxy/ships/1") => ({ url: `${url}${path}?integrated_account_id=${id}`, headers: { authorization: `Bearer ${token}` } });

const callSide = (gateway, name, account, path) => ({ name, pid: gateway.pid, load: callsOf(gateway, account, path) });

async function gatewaySides(runtimes, { name, folder }, provider) {
  const gateway = await startGateway(runtimes, folder, await apiKeyFile(provider));
  const [account] = await accounts(gateway, gateway.install, 1);
  const sides = [callSide(gateway, `${name}, through the object`, account)];
  if (await hasEdgeCalls(gateway)) {
    const file = { ...(await apiKeyFile(provider)), name: "api-key-edge" };
    const [leased] = await accounts(gateway, await install(gateway, file, { edge_calls: true }), 1);
    sides.push(callSide(gateway, `${name}, leased`, leased));
  }
  return sides;
}

/** Makers of sides `(name, path)` that need no gateway. */
export async function plainSides(runtimes, provider) {
  const vars = { UPSTREAM: provider, KEY: "key-1" };
  const side = ({ pid, url }) => (name, path) => ({ name, pid, load: { url: url + path } });
  return {
    javascript: side(await runtimes.javascript("passthrough", vars)),
    floor: side(await runtimes.javascript("floor", vars)),
    rust: side(await runtimes.rust(vars)),
  };
}
