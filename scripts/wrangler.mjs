// Runs wrangler, which asks no questions here: its output is read, so that it takes the run for one without a person.

import { spawn } from "node:child_process";
import path from "node:path";
import { root } from "./local-worker.mjs";

/** `{code, stdout, output}`; `output` has both streams. `input`: what it reads; without it, this process's own input. */
export function wrangler(args, { quiet = false, input } = {}) {
  const program = path.join(root, "node_modules/wrangler/bin/wrangler.js");
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: [input === undefined ? "inherit" : "pipe", "pipe", "pipe"] });
  let [stdout, output] = ["", ""];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => {
      output += chunk;
      if (stream === child.stdout) stdout += chunk;
      if (!quiet) process.stdout.write(chunk);
    });
  }
  child.stdin?.on("error", () => {}).end(input); // one that ended early has said why
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, output })));
}

// What wrangler or the platform refuses, and what the operator does about it. Without a person wrangler asks nothing and ends.
const STEPS = [
  [/More than one account available/, "Set CLOUDFLARE_ACCOUNT_ID to one of the accounts above."],
  [/register a workers\.dev subdomain/i, "Register the account's workers.dev subdomain once, in the dashboard under Workers & Pages."],
  [/code: 100328\b|CPU limits are not supported/, "The free plan has no [limits]: take these lines out of wrangler.toml, and deploy with SFTP=off."],
  [/code: 10000\b|Authentication error/, 'The login, or CLOUDFLARE_API_TOKEN, lacks a right: the template "Edit Cloudflare Workers" has what is needed, for the account of CLOUDFLARE_ACCOUNT_ID.'],
  [/CLOUDFLARE_API_TOKEN|not logged in/i, "Log in: `node_modules/.bin/node node_modules/wrangler/bin/wrangler.js login`, or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID."],
];

/** What to do about what wrangler has said; `undefined` where that is not known. */
export const nextStep = (output) => STEPS.find(([said]) => said.test(output))?.[1];
