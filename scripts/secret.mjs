// `make secret NAME=SEALING_KEYS`: sends the value of .deploy.vars to the deployed gateway, where it replaces the one before and counts
// at once. `make deploy` never does that. The value goes by wrangler's input, where no list of processes shows it.

import { deployVars, secretToSend, sealingIds } from "./deploy-vars.mjs";
import { deployedSecrets } from "./deployed.mjs";
import { nextStep, wrangler } from "./wrangler.mjs";

const name = process.argv[2];
try {
  const value = secretToSend(name, await deployVars());
  if (!(await deployedSecrets(wrangler))) throw new Error("The gateway is not deployed yet: make deploy");
  if (name === "SEALING_KEYS") console.log(`==> Keys ${sealingIds(value).join(", ")}: the first seals and signs. What another key has sealed can then not be opened.`);
  const { code, output } = await wrangler(["secret", "put", name], { input: value });
  if (code !== 0) throw new Error(`wrangler refused; its reason is above. ${nextStep(output) ?? ""}`);
} catch (error) {
  console.error(`\nmake secret: ${error.message}`);
  process.exit(1);
}
