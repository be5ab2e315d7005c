// Runs the conformance tests and renders docs/architectures.md from what they measured:
//   npm run docs:architectures
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, percent, readJson, root } from "./conformance-results.mjs";

const zoo = join(root, "test/fixtures/zoo");
const names = readdirSync(zoo).sort();
const others = readJson(join(root, "docs/other-systems.json"));

/** Every architecture on every number of ranks. */
const measured = measure(["checkpoints-a-to-g", "checkpoints-h-to-z", "encoders", "encoder-decoders"], {
  RINGRANK_RANKS: "all",
});
writeFileSync(join(root, "docs/architectures.md"), page());
const missing = names.filter((name) => !measured.some((run) => run.name === name));
process.stdout.write(
  `docs/architectures.md: ${names.length} architectures, not measured: ${missing.join(", ") || "none"}\n`,
);
process.exit(missing.length === 0 ? 0 : 1);

function page() {
  return `# Architectures

Every checkpoint of the test zoo, loaded from its own files on real ranks and split by the policy that its dataflow
gives. The checkpoints have hidden width 64, mostly two layers, and random weights, and were written by transformers
${others.transformersVersion}. \`npm run docs:architectures\` generates this file from what the conformance tests measured.

- **sharded**: the factors that 2 ranks divide between them, with their number of units.
- **all-reduces**: in one pass on 2 ranks, including the embedding's (encoder and decoder together if there are two).
- **2 ranks, 4 ranks**: the weight bytes of the rank that holds most, as a share of the total.
- **error**: the largest error of the logits on 1 to 4 ranks, compared with transformers, as a share of their standard
  deviation; of an encoder without a head, that of its hidden states.
- **DeepSpeed**: whether its page on automatic tensor parallelism lists the family as tested, or as refused
  (${others.deepspeed.source}).
- **transformers**: whether the configuration class has a tensor-parallel plan (\`base_model_tp_plan\`, version ${others.transformers.version}).

| architecture | sharded | all-reduces | 2 ranks | 4 ranks | error | DeepSpeed | transformers |
|---|---|---|---|---|---|---|---|
${names.map(row).join("\n")}
`;
}

function row(name) {
  const runs = measured.filter((run) => run.name === name);
  const on = (ranks) => runs.find((run) => run.ranks === ranks);
  const type = readJson(join(zoo, name, "config.json")).model_type;
  const cells = [
    name,
    [...new Set(on(2)?.sharded ?? [])].join(", "),
    on(2)?.allReduces ?? "–",
    percent(on(2)?.share),
    percent(on(4)?.share),
    runs.length === 0 ? "–" : Math.max(...runs.map(({ error }) => error)).toExponential(1),
    support(others.deepspeed, type),
    support(others.transformers, type),
  ];
  return `| ${cells.join(" | ")} |`;
}

function support({ listed, refused = [] }, type) {
  if (refused.includes(type)) return "refused";
  return listed.includes(type) ? "yes" : "–";
}
