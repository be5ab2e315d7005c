// Read a policy: which rank holds what, and why.
//
//   node examples/04-read-a-policy.mjs [model] [ranks]
//
// Planning reads config.json and the headers of the weight files; it reads no weights and starts no ranks. By default
// it plans the embedded model on 2 ranks.
//
// "4·2·32 × 256" is a weight [256, 256] whose first axis consists of 4 key heads, each with a group of 2 query heads of
// 32 lanes (the head dimension); its share is that of the rank with most of it. Column-parallel and row-parallel are
// the two splits of example 03. There, W is inputs by outputs; most checkpoints (GPT-2's do not) store a linear layer's
// weight the other way round, outputs by inputs. So splitting W by columns means splitting the stored weight's axis 0,
// and splitting W by rows means splitting its axis 1.
import { planModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";

const model = process.argv[2] ?? demoModel;
const ranks = Number(process.argv[3] ?? 2);
const policy = await planModel(model, { ranks });

// First the factors: what could be split, and whether it is. Then each weight.
console.log(policy.table());

// The same as data. Explain one weight: of those that are split by rows, the one with the most factors.
const [split] = Object.entries(policy.weights)
  .filter(([, { placement }]) => placement === "row-parallel")
  .sort(([, a], [, b]) => factorsOf(b) - factorsOf(a));
if (split === undefined) console.log("\nNo weight is split by rows.");
else tell(...split);

if (policy.collectives.length > 0) {
  console.log(
    "\nThe ranks communicate where an operator needs a whole value and each rank has a part of it:",
  );
  for (const { kind, value, reason } of policy.collectives.slice(0, 3))
    console.log(`  ${kind} of ${value}: ${reason}`);
  console.log(`  … ${policy.collectives.length} in all.`);
}

function tell(name, weight) {
  const factor = policy.factors[weight.factor];
  // Ranks may share a key head; then its query heads are counted.
  const units = factor.units * factor.within;
  const perRank = factor.perRank.join(" + ");
  console.log(`\nFor example, ${name}, of shape [${weight.dims}]:`);
  console.log(`  Its axes consist of these factors: ${weight.structure}`);
  console.log(`  Axis ${weight.axis} is split: ${units} ${factor.label}, ${perRank} over the ranks.`);
  console.log(`  Why: ${weight.reason}.`);
  console.log(`  Bytes held by each rank: ${weight.bytesPerRank.join(", ")}.`);
}

function factorsOf({ structure }) {
  return structure.split(/[·×]/).length;
}
