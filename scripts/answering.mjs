// Whether the gateway that was deployed works, asked from outside; and what the operator does where it does not.

import { parse } from "smol-toml";

/** Where the deployed gateway is: what the operator says, what wrangler printed, or PUBLIC_URL of wrangler.toml. */
export function gatewayUrl({ env, output, toml }) {
  return env.CAUSEWAY_URL || output.match(/https:\/\/[^\s"'<>]+\.workers\.dev\b/)?.[0] || parse(toml).vars?.PUBLIC_URL;
}

/** Waits until /health answers 200: a new name takes a while. An error says what it answered last, and what to do. */
export async function untilHealthy(url, { tries = 30, pause = 2_000 } = {}) {
  let last;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    last = await health(url);
    if (!last) return;
  }
  throw new Error(`Deployed, but ${new URL("/health", url)} ${last}
Without building again:  make publish CAUSEWAY_URL=${url} CAUSEWAY_TOKEN=…`);
}

/** Nothing where it is healthy. */
async function health(url) {
  const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(10_000) }).catch((error) => error);
  if (response instanceof Error) {
    const reason = response.cause?.code ?? response.cause?.message ?? response.message;
    return `cannot be reached (${reason}). A new name takes some minutes. One of your own needs a route or custom domain in wrangler.toml.`;
  }
  const { problems } = (await response.json().catch(() => undefined)) ?? {};
  if (response.ok && Array.isArray(problems)) return undefined;
  if (!Array.isArray(problems)) return `answers ${response.status}, and not as a gateway does: does this name lead to it? CAUSEWAY_URL=https://… names another.`;
  return `answers ${response.status}:
${problems.map((problem) => `  - ${problem}`).join("\n")}
Correct these settings (docs/operations.md#settings), then: make deploy`;
}

/** `{token, source}`: with what integrations/ is published, and what the operator calls it. */
export function adminToken({ env, vars }) {
  if (env.ADMIN_TOKEN) return { token: env.ADMIN_TOKEN, source: "ADMIN_TOKEN in the environment" };
  return { token: vars.ADMIN_TOKEN, source: "ADMIN_TOKEN in .deploy.vars" };
}
