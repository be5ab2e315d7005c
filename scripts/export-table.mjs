// Runs the conformance tests of every ONNX export and renders docs/onnx-exports.md from what they measured:
//   npm run docs:onnx-exports
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, percent, root } from "./conformance-results.mjs";

/** Every export on every number of ranks. */
const measured = measure(["onnx-exports"], { RINGRANK_EXPORTS: "all", RINGRANK_RANKS: "all" });
const names = [...new Set(measured.map(({ name }) => name))].sort();
writeFileSync(join(root, "docs/onnx-exports.md"), page());
process.stdout.write(`docs/onnx-exports.md: ${names.length} files\n`);

function page() {
  return `# ONNX exports

The files that torch's two exporters make of ${new Set(names.map(modelOf)).size} architectures: \`torchscript\`, and \`dynamo\` where it succeeded. The
models have hidden width 64, two layers and random weights. Each file is split by its operators and shapes alone.
\`npm run docs:onnx-exports\` generates this file from what the conformance tests measured.

- **sharded**: the factors that 2 ranks divide between them, with their number of units.
- **all-reduces**: in one pass on 2 ranks (encoder and decoder together if there are two).
- **2 ranks, 4 ranks**: the weight bytes that the rank that holds most is spared, as a share of what a split by hand
  would spare it: one that splits every matrix of attention, feed-forward and vocabulary by the names of the
  checkpoint's tensors. It exceeds 100% where tables of positions and biases are split too.
- **error**: the largest error of the logits on 1 to 4 ranks, as a share of their standard deviation. It is compared
  with transformers at the reference's batch and length, and with one unsplit session on the same file at two others.

| export | sharded | all-reduces | 2 ranks | 4 ranks | error |
|---|---|---|---|---|---|
${names.map(row).join("\n")}
`;
}

function row(name) {
  const runs = measured.filter((run) => run.name === name);
  const on = (ranks) => runs.find((run) => run.ranks === ranks);
  const cells = [
    name,
    [...new Set(on(2).sharded)].join(", "),
    on(2).allReduces,
    percent(on(2).ofPerfect),
    percent(on(4).ofPerfect),
    Math.max(...runs.map(({ error }) => error)).toExponential(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

function modelOf(name) {
  return name.slice(0, name.indexOf("/"));
}
