// Table tests: each case runs, and all that failed are reported together.

import { inspect } from "node:util";

/** How many characters of a case a report shows: a case may be a whole integration file. */
const MAX_NAME = 300;

/** Checks every case in order, also after one has failed. The error names each failed case, with its own error in `errors`. */
export async function eachCase(cases, check) {
  const failures = [];
  let count = 0;
  for (const each of cases) {
    count += 1;
    const name = inspect(each, { depth: 4, breakLength: Infinity }).slice(0, MAX_NAME);
    try {
      await check(each);
    } catch (error) {
      failures.push({ name, error });
    }
  }
  if (failures.length === 0) return;
  const report = failures.map(({ name, error }) => `- ${name}\n  ${error?.message ?? error}`).join("\n");
  throw new AggregateError(failures.map(({ error }) => error), `${failures.length} of ${count} cases failed:\n${report}`);
}
