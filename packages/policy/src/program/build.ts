import { RingrankError } from "@ringrank/errors";
import {
  type DataType,
  encodeOnnx,
  type Graph,
  type GraphNode,
  type SymbolicDim,
  type ValueInfo,
} from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import type { WeightUse } from "../analysis/roles.js";
import type { Plan } from "../decide/decide.js";
import { bytesOf } from "../decide/storage.js";
import { type Dim, type SizePair, sizeOf } from "../factors/factor.js";
import { isSharded, isStaticDim, localIntervals, localSize } from "../factors/shard.js";
import { sizeProduct } from "../shapes/index.js";
import { type LocalGraph, localize } from "./localize.js";
import type { Entry, LocalValue, RankProgram, Segment, SizeProduct, Step, ValueShard } from "./program.js";
import { findStages, type Stages } from "./stages.js";

/** One program per rank for a plan of a graph; `entry` is the name it is called by. */
export function buildPrograms(
  factored: FactoredGraph,
  uses: readonly WeightUse[],
  plan: Plan,
  entry: string,
): RankProgram[] {
  const stages = findStages(factored, plan.placement);
  return plan.shares.map((share, rank) => {
    const local = localize(factored, uses, plan.views[rank]!, share);
    return new ProgramBuilder(factored, plan, stages, local, rank).build(entry);
  });
}

class ProgramBuilder {
  readonly #factored: FactoredGraph;
  readonly #plan: Plan;
  readonly #stages: Stages;
  readonly #local: LocalGraph;
  readonly #rank: number;
  /** Types and sizes here of every value that crosses a stage, by local name. */
  readonly #values = new Map<string, { type: DataType; dims: readonly SizePair[] }>();

  constructor(factored: FactoredGraph, plan: Plan, stages: Stages, local: LocalGraph, rank: number) {
    this.#factored = factored;
    this.#plan = plan;
    this.#stages = stages;
    this.#local = local;
    this.#rank = rank;
    for (const [value, dims] of factored.values) {
      const name = local.nameOf(value);
      const type = factored.shapes.get(value)?.type;
      if (name === undefined || type === undefined) continue;
      this.#values.set(name, { type, dims: dims.map((dim) => localSize(dim, plan.shares[rank]!)) });
    }
  }

  build(entry: string): RankProgram {
    const stageNodes = this.#nodesByStage();
    const neededLater = this.#neededAfter(stageNodes);
    const uses = countSegments(stageNodes, this.#local.shards);
    const segments: Segment[] = [];
    const steps: Step[] = [];
    stageNodes.forEach((nodes, stage) => {
      steps.push(...this.#zeros(stage));
      if (nodes.length > 0) {
        steps.push({ kind: "run", segment: segments.length });
        segments.push(this.#segment(nodes, neededLater[stage]!, uses));
      }
      for (const value of this.#stages.allReduces[stage] ?? []) {
        steps.push({ kind: "allReduce", value: this.#local.nameOf(value)! });
      }
    });
    const { shards } = this.#local;
    return {
      rank: this.#rank,
      worldSize: this.#plan.shares.length,
      entries: { [entry]: this.#entry(steps) },
      segments,
      weights: Object.fromEntries(shards),
      bytes: [...shards.values()].reduce(
        (sum, { weight, dims }) => sum + dims.reduce((bytes, size) => bytes * size, bytesOf[weight.type]),
        0,
      ),
    };
  }

  #nodesByStage(): GraphNode[][] {
    const byStage: GraphNode[][] = this.#stages.allReduces.map(() => []);
    for (const [index, nodes] of this.#local.nodes.entries())
      byStage[this.#stages.ofNode[index]!]!.push(...nodes);
    return byStage;
  }

  /** For each stage, what it must leave in the table: values read later, reduced at its end, or returned. */
  #neededAfter(stageNodes: readonly (readonly GraphNode[])[]): Set<string>[] {
    const later = new Set(this.#outputs().map(({ name }) => name));
    const needed: Set<string>[] = [];
    for (let stage = stageNodes.length - 1; stage >= 0; stage--) {
      for (const value of this.#stages.allReduces[stage] ?? []) later.add(this.#local.nameOf(value)!);
      needed[stage] = new Set(later);
      for (const node of stageNodes[stage]!) for (const name of node.inputs) later.add(name);
    }
    return needed;
  }

  #zeros(stage: number): Step[] {
    return [...this.#plan.views[this.#rank]!.zeros].flatMap(([index, values]): Step[] => {
      if (this.#stages.ofNode[index] !== stage) return [];
      return values.map((value) => ({
        kind: "zeros",
        value: this.#local.nameOf(value)!,
        dims: this.#sizes(this.#factored.values.get(value)!),
      }));
    });
  }

  #segment(
    nodes: readonly GraphNode[],
    needed: ReadonlySet<string>,
    uses: ReadonlyMap<string, number>,
  ): Segment {
    const { shards, constants } = this.#local;
    const produced = new Set(nodes.flatMap((node) => node.outputs));
    const read = new Set(nodes.flatMap((node) => node.inputs).filter((name) => name !== ""));
    const outputs = [...produced].filter((name) => name !== "" && needed.has(name));
    const initializers: string[] = [];
    const sharedWeights: string[] = [];
    const inputs: string[] = [];
    const weights = new Map<string, Graph["weights"] extends ReadonlyMap<string, infer W> ? W : never>();
    for (const name of read) {
      const shard = shards.get(name);
      const constant = constants.get(name);
      if (constant !== undefined) weights.set(name, constant);
      else if (shard !== undefined && (uses.get(name) ?? 0) > 1) sharedWeights.push(name);
      else if (shard !== undefined) {
        initializers.push(name);
        weights.set(name, { type: shard.weight.type, dims: shard.dims, source: { kind: "absent" } });
      } else if (!produced.has(name)) inputs.push(name);
    }
    const onnx = encodeOnnx({
      opsets: this.#factored.graph.opsets,
      inputs: [
        ...inputs.map((name) => this.#valueInfo(name)),
        ...sharedWeights.map(
          (name): ValueInfo => ({ name, type: shards.get(name)!.weight.type, dims: shards.get(name)!.dims }),
        ),
      ],
      outputs: outputs.map((name) => this.#valueInfo(name)),
      nodes,
      weights,
      caches: [],
    });
    return { onnx, inputs, outputs, initializers, sharedWeights };
  }

  /** Dynamic sizes are left open, each under a name of its own, since two may differ when running. */
  #valueInfo(name: string): ValueInfo {
    const { type, dims } = this.#values.get(name)!;
    return {
      name,
      type,
      dims: dims.map((size, axis): SymbolicDim => (size[0] === size[1] ? size[0] : `${name}·${axis}`)),
    };
  }

  #entry(steps: readonly Step[]): Entry {
    const { graph } = this.#factored;
    const present = new Set(this.#outputs().map(({ name }) => name));
    const given = graph.inputs.filter(({ name }) => this.#local.nameOf(name) !== undefined);
    const names = new Set(given.map(({ name }) => name));
    return {
      inputs: given.map(({ name }) => this.#localValue(name)),
      outputs: this.#outputs().map(({ name }) => this.#localValue(name)),
      steps,
      caches: graph.caches.map((cache) => ({
        ...cache,
        states: cache.states.filter(({ past, present: added }) => names.has(past) && present.has(added)),
      })),
    };
  }

  /** What the caller gets: everything but cache rows that other ranks keep. Of the rest a rank may have none. */
  #outputs(): readonly ValueInfo[] {
    return this.#factored.graph.outputs.filter(
      ({ name }) => !this.#isState(name) || this.#local.nameOf(name) !== undefined,
    );
  }

  #isState(name: string): boolean {
    const { caches } = this.#factored.graph;
    return caches.some(({ states }) => states.some(({ past, present }) => past === name || present === name));
  }

  #localValue(name: string): LocalValue {
    const dims = this.#factored.values.get(name)!;
    const shard = this.#shard(name, dims);
    return {
      name,
      type: this.#factored.shapes.get(name)!.type,
      dims: this.#sizes(dims),
      ...(shard === undefined ? {} : { shard }),
    };
  }

  /** Where a sharded value's elements lie in the whole; what a cache keeps stays on its rank and needs none. */
  #shard(name: string, dims: readonly Dim[]): ValueShard | undefined {
    if (this.#isState(name)) return undefined;
    const { shares } = this.#plan;
    const axes = dims.flatMap((dim, axis) => (shares.some((share) => isSharded(dim, share)) ? [axis] : []));
    const [axis] = axes;
    if (axis === undefined) return undefined;
    const dim = dims[axis]!;
    if (axes.length > 1 || !isStaticDim(dim)) {
      throw new RingrankError(
        "RR_GRAPH",
        `${name} is sharded along ${axes.length} axes, or along one of unknown size`,
      );
    }
    return { axis, size: sizeOf(dim)[0], intervals: shares.map((share) => localIntervals(dim, share)) };
  }

  #sizes(dims: readonly Dim[]): SizeProduct[] {
    return dims.map((dim) => {
      const size = localSize(dim, this.#plan.shares[this.#rank]!);
      return sizeProduct(size, this.#factored.symbols) ?? { scale: size[0], symbols: [] };
    });
  }
}

/** In how many stages each shard is read. */
function countSegments(
  stageNodes: readonly (readonly GraphNode[])[],
  shards: ReadonlyMap<string, unknown>,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const nodes of stageNodes) {
    const read = new Set(nodes.flatMap((node) => node.inputs));
    for (const name of read) if (shards.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
