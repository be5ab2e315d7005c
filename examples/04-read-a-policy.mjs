// Read a policy: why each weight lies where it lies.
//
//   node examples/04-read-a-policy.mjs [model] [ranks]
//
// Planning reads config.json and the headers of the weight files. No weight is read, no rank is started. The model is
// the embedded one, and ranks are 2, unless given.
//
// "4·2·32 × 256" is a weight [256, 256] whose first axis is 4 key heads, each with a group of 2 query heads, of 32
// lanes (the head dimension). Column-parallel and row-parallel are 03's two splits. There W is inputs by outputs;
// checkpoints store a linear layer's weight the other way round, outputs by inputs. So to divide it by W's columns is
// to divide its axis 0, and by W's rows its axis 1.
import { planModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";

const model = process.argv[2] ?? demoModel;
const ranks = Number(process.argv[3] ?? 2);
const policy = await planModel(model, { ranks });

// First the factors: what the dataflow has that could be divided, and whether it was. Then each weight.
console.log(policy.table());

// The same as data. Take a weight that is divided by rows, the one made of most factors, and tell its story.
const [divided] = Object.entries(policy.weights)
  .filter(([, { placement }]) => placement === "row-parallel")
  .sort(([, a], [, b]) => factorsOf(b) - factorsOf(a));
if (divided === undefined) console.log("\nNo weight is divided by rows.");
else tell(...divided);

if (policy.collectives.length > 0) {
  console.log("\nThe ranks meet where something needs whole what each has a part of:");
  for (const { kind, value, reason } of policy.collectives.slice(0, 3))
    console.log(`  ${kind} of ${value}: ${reason}`);
  console.log(`  … ${policy.collectives.length} in all.`);
}

function tell(name, weight) {
  const factor = policy.factors[weight.factor];
  const perRank = factor.perRank.join(" + ");
  console.log(`\nOne of them, ${name}, of shape [${weight.dims}]:`);
  console.log(`  Its axes are made of these factors: ${weight.structure}`);
  console.log(
    `  Axis ${weight.axis} is divided: the ${factor.units} ${factor.label}, ${perRank} over the ranks.`,
  );
  console.log(`  Why: ${weight.reason}.`);
  console.log(`  Bytes kept, by rank: ${weight.bytesPerRank.join(", ")}.`);
}

function factorsOf({ structure }) {
  return structure.split(/[·×]/).length;
}
