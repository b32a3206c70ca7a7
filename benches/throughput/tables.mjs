// Tables: `{title, columns, rows}`, texts all, printed or as Markdown.

import { median } from "./measure.mjs";

/** The table of measured sides (`measure.mjs`). A ratio is the median of the rounds' own, so that slow rounds of the machine cancel. */
export function comparison(title, sides, what = "request") {
  const rows = sides.map((side) => {
    const base = sides.find(({ name }) => name === side.against) ?? sides[0];
    const typical = (key) => median(side.rounds.map((round) => round[key]));
    const ratio = (key) => (side === base ? "1.00" : median(side.rounds.map((round, n) => round[key] / base.rounds[n][key])).toFixed(2));
    return [side.name, typical("rate").toFixed(0), ratio("rate"), typical("cost").toFixed(3), ratio("cost")];
  });
  return { title, columns: ["", `${what}s/s`, "ratio", `CPU ms/${what}`, "ratio"], rows, sides: sides.map(({ name, rounds }) => ({ name, rounds })) };
}

export function print({ title, columns, rows }) {
  const widths = columns.map((column, n) => Math.max(column.length, ...rows.map((row) => row[n].length)));
  const line = (cells) => `  ${cells.map((cell, n) => (n === 0 ? cell.padEnd(Math.max(widths[n], 46)) : cell.padStart(widths[n] + 2))).join("")}`;
  console.log(`\n${title}\n${line(columns)}`);
  for (const row of rows) console.log(line(row));
}

export function markdown({ title, columns, rows }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = `|---|${columns.slice(1).map(() => "---:|").join("")}`;
  return [`### ${title}`, "", line(columns), rule, ...rows.map(line), ""].join("\n");
}
