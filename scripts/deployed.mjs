// Which secrets a Worker has that is deployed already. What wrangler could not find out is an error, and never "it is not deployed":
// new secrets would replace those that stored credentials need, and the gateway would lose the binding of the SFTP Worker.

import { nextStep } from "./wrangler.mjs";

/** The names of the secrets; `undefined` where the Worker is not deployed. `name`: another Worker than that of wrangler.toml. */
export async function deployedSecrets(wrangler, name) {
  const { code, stdout, output } = await wrangler(["secret", "list", ...(name ? ["--name", name] : []), "--format", "json"], { quiet: true });
  const names = code === 0 ? namesIn(stdout) : undefined;
  if (names) return names;
  if (code !== 0 && /code: 10007\b|Worker "[^"]*" not found/.test(output)) return undefined;
  throw new Error(`wrangler could not find out which secrets ${name ?? "the gateway"} has, so nothing is deployed:
${output}
${nextStep(output) ?? "Try again. Without a login: docs/operations.md has the command; or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID."}`);
}

/** `undefined` where the text is something else. */
function namesIn(text) {
  try {
    const names = JSON.parse(text.slice(text.search(/^\[/m))).map(({ name }) => name);
    return names.every((name) => typeof name === "string") ? names : undefined;
  } catch {
    return undefined;
  }
}
