import type { Weight } from "@ringrank/model";
import { elementCount, type WeightShard } from "@ringrank/model/weights";
import { FreshNames } from "../graph/fresh-names.js";
import type { Entry, FloatProductStep, RankProgram, Step } from "./program.js";

type Shards = Readonly<Record<string, WeightShard>>;
type Matrices = Pick<RankProgram, "entries" | "segments">;

/**
 * Lets products of floats read matrices that are stored as bfloat16 as they are. A bfloat16 is the upper half of the
 * float32 that it stands for, so nothing is lost, and there are half as many bytes to hold, and to read in every step.
 *
 * All matrices of a step have the same type. A matrix that segments use too, such as a table in which tokens are looked
 * up, becomes a second weight, unless the rank would then hold more bytes than in float32.
 */
export function withNarrowMatrices<P extends Matrices>(
  program: P,
  shards: Shards,
): { program: P; weights: Shards } {
  const { entries, segments } = program;
  const steps = floatProducts(Object.values(entries)).map(matricesOf);
  const shared = new Set(
    segments.flatMap(({ initializers, sharedWeights }) => [...initializers.flat(), ...sharedWeights]),
  );
  const stored = new Set(steps.flat().filter((name) => isStoredNarrow(shards[name]!.weight)));
  const alone = narrowTogether(steps, new Set([...stored].filter((name) => !shared.has(name))));
  const all = narrowTogether(steps, stored);
  const narrow = growth(all, shared, shards) <= 0 ? all : alone;
  const fresh = new FreshNames((name) => Object.hasOwn(shards, name));
  const narrowNames = new Map(
    [...narrow].map((name) => [name, shared.has(name) ? fresh.after(`${name}·bfloat16`) : name]),
  );
  const weights = { ...shards };
  for (const [name, narrowName] of narrowNames) {
    const shard = shards[name]!;
    weights[narrowName] = { ...shard, weight: { ...shard.weight, type: "bfloat16" } };
  }
  const renamed = Object.entries(entries).map(([name, entry]) => [name, withNames(entry, narrowNames)]);
  return { program: { ...program, entries: Object.fromEntries(renamed) }, weights };
}

/** Those of the names that have no wide matrix beside them in any step. Two steps may have a matrix in common. */
function narrowTogether(
  steps: readonly (readonly string[])[],
  names: ReadonlySet<string>,
): ReadonlySet<string> {
  const isNarrow = (step: readonly string[]) => step.every((name) => names.has(name));
  const wide = new Set(steps.filter((step) => !isNarrow(step)).flat());
  const left = new Set([...names].filter((name) => !wide.has(name)));
  return left.size === names.size ? left : narrowTogether(steps, left);
}

/** How many elements' halves more the rank holds if these matrices are narrow. */
function growth(narrow: ReadonlySet<string>, shared: ReadonlySet<string>, shards: Shards): number {
  return [...narrow].reduce((sum, name) => {
    const elements = elementCount(shards[name]!.dims);
    return shared.has(name) ? sum + elements : sum - elements;
  }, 0);
}

/** @param names of the narrow matrices, by their former names */
function withNames(entry: Entry, names: ReadonlyMap<string, string>): Entry {
  const steps = entry.steps.map((step): Step => {
    if (!isFloatProduct(step)) return step;
    const outputs = step.outputs.map(({ matrices, ...output }) => ({
      ...output,
      matrices: matrices.map((matrix) => ({ ...matrix, values: names.get(matrix.values) ?? matrix.values })),
    }));
    return { ...step, outputs };
  });
  return { ...entry, steps };
}

function floatProducts(entries: readonly Entry[]): FloatProductStep[] {
  return entries.flatMap(({ steps }) => steps).filter(isFloatProduct);
}

function isFloatProduct(step: Step): step is FloatProductStep {
  return step.kind === "product" && step.bits === 32;
}

function matricesOf({ outputs }: FloatProductStep): string[] {
  return outputs.flatMap(({ matrices }) => matrices.map(({ values }) => values));
}

function isStoredNarrow({ source }: Weight): boolean {
  return source.kind === "file" && source.storedAs === "bfloat16";
}
