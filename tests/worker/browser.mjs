// A real browser: Debian's chromium, driven by playwright-core. Nothing but this machine can be reached from it.
//
//   test("…", { skip: noBrowser }, async () => {
//     const page = await browser.page("phone");
//     assert.deepEqual(await axe(page), []);
//   });

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import axeCore from "axe-core";
import { chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"];

/** Why the tests that need a browser are skipped, or false. */
export const noBrowser = existsSync(CHROMIUM) ? false : `no ${CHROMIUM}: apt-get install --no-install-recommends chromium`;

export const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  return {
    /** A page of a new browser, with no cookies. `page.problems`: what scripts, CSP and the console complained of. */
    async page(size = "desktop", { javaScript = true } = {}) {
      const context = await browser.newContext({ ...SIZES[size], javaScriptEnabled: javaScript });
      context.setDefaultTimeout(10_000);
      await context.route(({ hostname }) => !["localhost", "127.0.0.1"].includes(hostname), (route) => route.abort());
      const problems = [];
      context.on("weberror", (error) => problems.push(String(error.error())));
      context.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      return Object.assign(await context.newPage(), { problems });
    },
    stop: () => browser.close(),
  };
}

/** What axe-core finds wrong, one line each; none is `[]`. */
export async function axe(page) {
  await page.evaluate(axeCore.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target.join(" ")}`));
}

/** Whether the page is wider than the window, so that a phone scrolls sideways. */
export const overflows = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

/** Goes to what matches with the Tab key alone, as one who has no mouse; what has the focus then shows it. */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 50; presses++) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not reach ${selector} on ${page.url()}`);
}

/** Writes $SCREENSHOTS/<name>.png when that folder is named. */
export async function screenshot(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}
