import type { RecurrentState } from "@ringrank/model";
import { bytesOfShards } from "@ringrank/model/weights";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import type { Roles } from "../analysis/roles.js";
import type { RoutedExperts } from "../analysis/routed-experts.js";
import type { Plan } from "../decide/decide.js";
import { addToProducts } from "./local/add-to-products.js";
import { DeclaredValues } from "./local/declared-values.js";
import { type ExpertStages, makeExpertStages } from "./local/experts.js";
import { joinOutputs } from "./local/join-outputs.js";
import { countReaders, type LocalStage, withoutUnread } from "./local/local-stage.js";
import { type LocalShape, type LocalValues, localValues } from "./local/local-values.js";
import { type LocalGraph, localize } from "./local/localize.js";
import { StageLocalizer } from "./local/localize-stage.js";
import { castSums } from "./local/wire-types.js";
import { withNarrowMatrices } from "./narrow-matrices.js";
import type { Entry, RankProgram, Step } from "./program.js";
import { StepMaker } from "./segments/make-steps.js";
import type { SegmentContext } from "./segments/segment.js";
import { SharedSegments } from "./segments/shared-segments.js";
import { type EntryNodes, entriesOf } from "./stages/entries.js";
import { findApart } from "./stages/find-apart.js";
import type { ProductKind } from "./stages/matrix-product.js";
import { type Beginning, beginningsOfOutputs, stagesOfCaches } from "./stages/output-stages.js";
import { findStages, type Stage } from "./stages/stages.js";

/**
 * One program per rank, for a plan of a graph.
 *
 * @param products kinds of products that are computed outside of segments if possible, in one step for each input
 */
export function buildFromPlan(
  factored: FactoredGraph,
  { uses, experts }: Pick<Roles, "uses" | "experts">,
  plan: Plan,
  products: readonly ProductKind[],
): RankProgram[] {
  const apart = findApart(factored, experts, plan, products);
  const entries = entriesOf(factored.graph).map((entry): StagedEntry => {
    const stages = findStages(factored, plan.placement, entry, apart);
    const beginnings = beginningsOfOutputs(factored, plan.placement, entry, stages);
    return { ...entry, stages, beginnings, cacheStages: stagesOfCaches(factored, beginnings) };
  });
  const shared = new SharedSegments();
  return plan.shares.map((share, rank) => {
    const view = plan.views[rank]!;
    const local = localize(factored, uses, view, share);
    const expertStages = makeExpertStages(factored, uses, view, share, apart.experts, products);
    return new ProgramBuilder(factored, plan, local, expertStages, shared, rank).build(entries);
  });
}

interface StagedEntry extends EntryNodes {
  readonly stages: readonly Stage[];
  /** By output. */
  readonly beginnings: ReadonlyMap<string, Beginning>;
  /** How many of them compute everything that the next step receives; undefined if that is nothing. */
  readonly cacheStages: number | undefined;
}

class ProgramBuilder {
  readonly #factored: FactoredGraph;
  readonly #plan: Plan;
  readonly #local: LocalGraph;
  readonly #rank: number;
  readonly #declared: DeclaredValues;
  readonly #stepMaker: StepMaker;

  constructor(
    factored: FactoredGraph,
    plan: Plan,
    local: LocalGraph,
    experts: ReadonlyMap<RoutedExperts, ExpertStages>,
    shared: SharedSegments,
    rank: number,
  ) {
    this.#factored = factored;
    this.#plan = plan;
    this.#local = local;
    this.#rank = rank;
    this.#declared = new DeclaredValues(factored, plan, rank);
    this.#stepMaker = new StepMaker(experts, shared, this.#declared);
  }

  build(entries: readonly StagedEntry[]): RankProgram {
    const { shards } = this.#local;
    const { shares, views } = this.#plan;
    const values = new Map(localValues(this.#factored, this.#local, shares[this.#rank]!));
    const stageLocalizer = new StageLocalizer(
      this.#factored,
      this.#plan,
      views[this.#rank]!,
      this.#local,
      this.#declared,
    );
    const local = entries.map((entry) => {
      const stages = entry.stages.map((stage) => stageLocalizer.localize(stage, values));
      return { entry, stages: simplify(stages, values, entry.outputs) };
    });
    const context = this.#contextOf(
      local.flatMap(({ stages }) => stages),
      values,
    );
    const built = local.map(({ entry, stages }) => [
      entry.name,
      this.#entry(entry, this.#stepMaker.make(stages, entry.outputs, context)),
    ]);
    const whole = Object.fromEntries(shards);
    const { program, weights } = withNarrowMatrices(
      { entries: Object.fromEntries(built), segments: this.#stepMaker.segments },
      whole,
    );
    return {
      rank: this.#rank,
      worldSize: shares.length,
      ...program,
      weights,
      bytes: bytesOfShards(whole),
    };
  }

  /** What the segments of all entries' stages refer to. */
  #contextOf(stages: readonly LocalStage[], values: LocalValues): SegmentContext {
    const { shards, constants } = this.#local;
    const attention = stages.flatMap((stage) => stage.attention);
    return {
      opsets: this.#factored.graph.opsets,
      shards,
      constants: new Map([...constants, ...attention.flatMap((one) => [...one.constants])]),
      values: new Map([...values, ...attention.flatMap((one) => [...one.values])]),
      uses: countReaders(stages, shards),
    };
  }

  #entry({ inputs, outputs, beginnings, cacheStages }: StagedEntry, stages: readonly Step[][]): Entry {
    const { graph } = this.#factored;
    const steps = stages.flat();
    const cacheSteps = stages.slice(0, cacheStages).flat().length;
    const early = [...beginnings]
      .map(([name, beginning]) => [name, stepsIn(beginning, stages)] as const)
      .filter(([, count]) => count < steps.length);
    const keeps = ({ past, present }: RecurrentState): boolean => this.#has(past) && this.#has(present);
    const recurrent = (graph.recurrent ?? []).filter((state) => inputs.includes(state.past) && keeps(state));
    return {
      inputs: inputs.filter((name) => this.#has(name)).map((name) => this.#declared.declare(name)),
      // Cache rows that other ranks keep are not outputs of this one; of other outputs, it may have an empty part.
      outputs: outputs
        .filter((name) => !this.#declared.isState(name) || this.#has(name))
        .map((name) => this.#declared.declare(name)),
      steps,
      ...(cacheSteps < steps.length && { cacheSteps }),
      ...(early.length > 0 && { outputSteps: Object.fromEntries(early) }),
      caches: graph.caches
        .filter(({ positions }) => inputs.includes(positions))
        .map((cache) => ({
          ...cache,
          states: cache.states.filter(keeps),
        })),
      ...(recurrent.length > 0 && { recurrent }),
    };
  }

  #has(name: string): boolean {
    return this.#local.nameOf(name) !== undefined;
  }
}

/** How many of an entry's steps its beginning has. */
function stepsIn({ stages: count, endsWithSegments }: Beginning, stages: readonly Step[][]): number {
  if (!endsWithSegments) return stages.slice(0, count).flat().length;
  const last = stages[count - 1] ?? [];
  const segments = last.findIndex(({ kind }) => kind !== "zeros" && kind !== "run");
  return stages.slice(0, count - 1).flat().length + (segments < 0 ? last.length : segments);
}

/**
 * An entry's stages, with as little in segments as possible.
 *
 * @param values gets those in which sums of other types cross
 * @param outputs names of the entry's outputs
 */
function simplify(
  stages: readonly LocalStage[],
  values: Map<string, LocalShape>,
  outputs: readonly string[],
): LocalStage[] {
  const joined = joinOutputs(withoutUnread(stages, outputs), values, outputs);
  const added = addToProducts(joined, values, outputs);
  const cast = castSums(added, (value) => values.get(value)!.type);
  for (const [value, name] of cast.crossing) values.set(name, { ...values.get(value)!, type: "float32" });
  // A rank without units does not cast a sum back if it only adds zeros to it.
  return withoutUnread(cast.stages, outputs);
}
