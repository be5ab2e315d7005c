// The cost of a token outside the ranks: the time per token of the embedded model as a caller of `generate` sees it,
// next to the time that rank 0 spends in steps.
import { loadModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";
import { summary } from "./measure/statistics.mjs";
import { stepOptionsOrExit } from "./options.mjs";

const help = `Measures what a token of the embedded model costs outside the ranks: transport, text, the reader's loop. Defaults are
shown.

  node bench/step-overhead.mjs [options]

  --ranks 1,2,4  numbers of ranks; there is a model for each, and all take turns
  --turns 7      turns of each model
  --tokens 100   tokens in a turn
  --help         print this text
`;

/** The number of untimed tokens in a turn: those of its prompt and of the first steps after it. */
const ahead = 8;

const options = stepOptionsOrExit(help, { ranks: "1,2,4", turns: "7", tokens: "100" });
const { turns, tokens } = options;

const contestants = [];
for (const ranks of options.ranks) {
  contestants.push({ ranks, model: await loadModel(demoModel, { ranks }), callers: [], own: [] });
}
try {
  for (let turn = -2; turn < turns; turn++) {
    for (const { model, callers, own } of contestants) {
      const times = await generate(model, turn + 2);
      if (turn < 0) continue;
      callers.push(times.caller);
      own.push(times.own);
    }
  }
} finally {
  for (const { model } of contestants) await model.close();
}

const figure = ({ median, low, high }) =>
  `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`.padEnd(18);
console.log("ms a token, medians (middle half)  through generate  in the ranks      outside");
for (const { ranks, callers, own } of contestants) {
  const outside = callers.map((caller, turn) => caller - own[turn]);
  const name = `${ranks} rank${ranks === 1 ? "" : "s"} × 1 thread`;
  console.log(`${name.padEnd(34)} ${[callers, own, outside].map((all) => figure(summary(all))).join("")}`);
}

/** Milliseconds per token: as the caller sees it, and in steps of rank 0. */
async function generate(model, seed) {
  const text = model.generate("ROMEO:\n", { maxNewTokens: tokens + ahead, ignoreEos: true, seed });
  let [count, start, before] = [0, 0, model.counters()];
  for await (const _ of text) {
    if (++count !== ahead) continue;
    start = performance.now();
    before = model.counters();
  }
  const caller = (performance.now() - start) / tokens;
  const after = model.counters();
  return { caller, own: (after.milliseconds - before.milliseconds) / (after.steps - before.steps) };
}
