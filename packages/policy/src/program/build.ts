import { RingrankError } from "@ringrank/errors";
import { type GraphNode, readsOf } from "@ringrank/model";
import { bytesPerElement } from "@ringrank/model/weights";
import { findCachedAttention } from "../analysis/cached-attention.js";
import type { FactoredGraph } from "../analysis/propagate.js";
import type { Roles } from "../analysis/roles.js";
import type { RoutedExperts } from "../analysis/routed-experts.js";
import type { Plan } from "../decide/decide.js";
import { type Dim, sizeOf } from "../factors/factor.js";
import { isSharded, isStaticDim, localIntervals, localSize } from "../factors/shard.js";
import { sizeProduct } from "../shapes/index.js";
import { addInNorms } from "./add-in-norms.js";
import { addToProducts } from "./add-to-products.js";
import { localAttention } from "./attention.js";
import { type AttentionHeads, makeAttentionBlock } from "./attention-block.js";
import { stagesOfCaches } from "./cache-stages.js";
import { cutInterpretable } from "./cut-interpretable.js";
import { type EntryNodes, entriesOf } from "./entries.js";
import { type ExpertSegment, makeExpertSegments } from "./experts.js";
import { joinOutputs, type LocalProducts, localProducts } from "./local-products.js";
import {
  type AllGather,
  countReaders,
  type LocalExperts,
  type LocalStage,
  neededAfter,
  nothing,
  readApart,
  withoutUnread,
} from "./local-stage.js";
import { type LocalValues, localValues } from "./local-values.js";
import { type LocalGraph, localize } from "./localize.js";
import { findNormalizations } from "./normalizations.js";
import { makeFloatSegment, makeIntegerSegment } from "./product-segments.js";
import { findProductsApart, type ProductApart, type ProductKind } from "./products-apart.js";
import type {
  AllReduceStep,
  Entry,
  LocalValue,
  NormalizeStep,
  ProductStep,
  RankProgram,
  RunStep,
  Segment,
  SizeProduct,
  Step,
  ValueShard,
} from "./program.js";
import { makeSegment, type SegmentContext } from "./segment.js";
import { SharedSegments } from "./shared-segments.js";
import { type Apart, findStages, type Stage } from "./stages.js";
import { makeWeightlessSegment } from "./weightless-segment.js";
import { castSums } from "./wire-types.js";

/**
 * One program per rank for a plan of a graph.
 *
 * @param products kinds of those that are computed apart from segments, each input's in a step, where that can be
 */
export function buildPrograms(
  factored: FactoredGraph,
  { uses, experts }: Pick<Roles, "uses" | "experts">,
  plan: Plan,
  products: readonly ProductKind[],
): RankProgram[] {
  const apart = findApart(factored, experts, plan, products);
  const entries = entriesOf(factored.graph).map((entry): StagedEntry => {
    const stages = findStages(factored, plan.placement, entry, apart);
    return { ...entry, stages, cacheStages: stagesOfCaches(factored, plan.placement, entry, stages) };
  });
  const shared = new SharedSegments();
  return plan.shares.map((share, rank) => {
    const view = plan.views[rank]!;
    const local = localize(factored, uses, view, share);
    const expertSegments = makeExpertSegments(factored, uses, view, share, apart.experts);
    return new ProgramBuilder(factored, plan, local, expertSegments, shared, rank).build(entries);
  });
}

function findApart(
  factored: FactoredGraph,
  routed: readonly RoutedExperts[],
  plan: Plan,
  kinds: readonly ProductKind[],
): Apart {
  const experts = routed.filter(
    ({ body, product, output }) =>
      isUnbroken([...body, product], factored, plan) && isSized(output, factored),
  );
  const attention = findCachedAttention(factored).filter(({ body }) => isUnbroken(body, factored, plan));
  const taken = new Set([...experts, ...attention].flatMap(({ body }) => body));
  const { placement } = plan;
  const products = findProductsApart(factored, placement, taken, kinds);
  const normalizations = findNormalizations(factored, placement, products);
  return { experts, attention, products, normalizations };
}

/** Whether no sum has to be paid inside `body`. */
function isUnbroken(body: readonly number[], { nodes }: FactoredGraph, { placement }: Plan): boolean {
  return body.every((index) => !nodes[index]!.operator.node.outputs.some((name) => placement.paid.has(name)));
}

/** Whether the sizes of a call say how large a value is before it is there. */
function isSized(value: string, { values, symbols }: FactoredGraph): boolean {
  return values.get(value)!.every((dim) => sizeProduct(sizeOf(dim), symbols) !== undefined);
}

interface StagedEntry extends EntryNodes {
  readonly stages: readonly Stage[];
  /** How many of them give all that caches keep; undefined where none grows. */
  readonly cacheStages: number | undefined;
}

class ProgramBuilder {
  readonly #factored: FactoredGraph;
  readonly #plan: Plan;
  readonly #local: LocalGraph;
  readonly #experts: ReadonlyMap<RoutedExperts, ExpertSegment>;
  readonly #shared: SharedSegments;
  readonly #rank: number;
  readonly #segments: Segment[] = [];
  /** Index of each that is shared. */
  readonly #indices = new Map<Segment, number>();

  constructor(
    factored: FactoredGraph,
    plan: Plan,
    local: LocalGraph,
    experts: ReadonlyMap<RoutedExperts, ExpertSegment>,
    shared: SharedSegments,
    rank: number,
  ) {
    this.#factored = factored;
    this.#plan = plan;
    this.#local = local;
    this.#experts = experts;
    this.#shared = shared;
    this.#rank = rank;
  }

  build(entries: readonly StagedEntry[]): RankProgram {
    const { shards } = this.#local;
    const values = new Map(localValues(this.#factored, this.#local, this.#share));
    const staged = entries.map((entry) => {
      const own = withoutUnread(
        entry.stages.map((stage) => this.#localStage(stage, values)),
        entry.outputs,
      );
      const local = addToProducts(
        joinOutputs(own, values, [...own.flatMap(readApart), ...entry.outputs]),
        values,
        entry.outputs,
      );
      const { stages, crossing } = castSums(local, nothing, (value) => values.get(value)!.type);
      for (const [value, name] of crossing) values.set(name, { ...values.get(value)!, type: "float32" });
      return { entry, stages };
    });
    const stages = staged.flatMap(({ stages }) => stages);
    const attention = stages.flatMap((stage) => stage.attention);
    const context: SegmentContext = {
      opsets: this.#factored.graph.opsets,
      shards,
      constants: new Map([...this.#local.constants, ...attention.flatMap(({ constants }) => [...constants])]),
      values: new Map([...values, ...attention.flatMap((one) => [...one.values])]),
      uses: countReaders(stages, shards),
    };
    const built = staged.map(({ entry, stages }) => [
      entry.name,
      this.#entry(entry, this.#steps(entry, stages, context)),
    ]);
    return {
      rank: this.#rank,
      worldSize: this.#plan.shares.length,
      entries: Object.fromEntries(built),
      segments: this.#segments,
      weights: Object.fromEntries(shards),
      bytes: [...shards.values()].reduce(
        (sum, { weight, dims }) =>
          sum + dims.reduce((bytes, size) => bytes * size, bytesPerElement[weight.type]),
        0,
      ),
    };
  }

  get #share() {
    return this.#plan.shares[this.#rank]!;
  }

  #localStage(stage: Stage, values: LocalValues): LocalStage {
    const { nodes, routed, attention, products, allReduces, normalizations, allGathers } = stage;
    const view = this.#plan.views[this.#rank]!;
    const all = [
      ...nodes,
      ...routed.map(({ sum }) => sum),
      ...[...attention, ...products].flatMap(({ body }) => body),
    ];
    const multiplies = ({ body: [product] }: ProductApart): boolean => view.isActive(product!);
    const attending = attention
      .filter(({ body }) => body.every((index) => view.isActive(index)))
      .map((one) => localAttention(one, this.#local, values));
    return {
      nodes: [
        ...nodes.flatMap((index) => this.#local.nodes[index]!),
        ...attending.flatMap(({ before }) => before),
        // A bias that counts here, and the shape of zeros, where the product is another rank's.
        ...products
          .filter((product) => !multiplies(product))
          .flatMap(({ body }) => body.flatMap((index) => this.#local.nodes[index]!)),
      ],
      zeros: all.flatMap((index) => (view.zeros.get(index) ?? []).map((value) => this.#zerosStep(value))),
      routed: routed
        .filter(({ sum }) => view.isActive(sum))
        .map((experts) => ({
          experts,
          rows: this.#local.nameOf(experts.rows)!,
          weights: this.#local.nameOf(experts.weights)!,
        })),
      attention: attending,
      products: localProducts(products.filter(multiplies), this.#local),
      ...addInNorms(
        allReduces.map((value) => this.#allReduce(value)),
        normalizations
          .filter(({ node }) => view.isActive(node))
          .map(({ node: _, ...sum }): NormalizeStep => {
            return { kind: "normalize", ...sum, value: this.#local.nameOf(sum.value)! };
          }),
      ),
      allGathers: allGathers.map((value) => this.#allGather(value)),
    };
  }

  #allReduce(value: string): AllReduceStep {
    const { placement, lateAddends } = this.#plan;
    const late = lateAddends.ofSum.get(value);
    const step = { kind: "allReduce", value: this.#local.nameOf(value)! } as const;
    if (late === undefined) return placement.largest.has(value) ? { ...step, operation: "max" } : step;
    const { rows, value: whole } = late;
    return { ...step, added: { rows, ...(whole !== undefined && { value: this.#local.nameOf(whole)! }) } };
  }

  #allGather(output: string): AllGather {
    const part = this.#plan.placement.gathered.get(output)!;
    const shard = this.#shardOf(part, this.#factored.values.get(part)!)!;
    return { kind: "allGather", value: this.#local.nameOf(part)!, output, shard };
  }

  #zerosStep(value: string): Step {
    const dims = this.#sizes(this.#factored.values.get(value)!);
    const step = { kind: "zeros", value: this.#local.nameOf(value)!, dims } as const;
    const { type } = this.#factored.shapes.get(value)!;
    return type === "float32" ? step : { ...step, type };
  }

  /** By stage. */
  #steps(entry: EntryNodes, stages: readonly LocalStage[], context: SegmentContext): Step[][] {
    const needed = neededAfter(stages, entry.outputs);
    return stages.map((stage, index): Step[] => {
      const { nodes, zeros, routed, attention, products, allReduces, normalizations, allGathers } = stage;
      return [
        ...zeros,
        ...this.#runSteps(nodes, needed[index]!, context),
        ...routed.map((one) => this.#routedStep(one)),
        ...attention.map(({ nodes, outputs, description, rowByRow }): Step => {
          const step = this.#runStep(nodes, new Set(outputs), context);
          if (description === undefined) return step;
          const inBlocks = rowByRow && description.addends.length > 0;
          return {
            ...step,
            attention: { ...description, ...(inBlocks && { block: this.#block(description) }) },
          };
        }),
        ...products.map((one) => this.#productStep(one)),
        ...allReduces,
        ...normalizations,
        ...allGathers,
      ];
    });
  }

  #productStep(product: LocalProducts): ProductStep {
    if (product.bits === 32) {
      const segments = { float32: this.#addShared("float product", makeFloatSegment) };
      return { kind: "product", ...product, segments };
    }
    const integerSegment = (activations: "int8" | "uint8"): number =>
      this.#addShared(`${activations} product`, () => makeIntegerSegment(activations));
    const segments = { int8: integerSegment("int8"), uint8: integerSegment("uint8") };
    return { kind: "product", ...product, segments };
  }

  #block({ keyValueHeads, group, lanes, scale }: AttentionHeads): number {
    const heads = { keyValueHeads, group, lanes, scale };
    return this.#addShared(heads, () => makeAttentionBlock(heads));
  }

  #routedStep({ experts, rows, weights }: LocalExperts): Step {
    const { segment, stacks, perExpert } = this.#experts.get(experts)!;
    const { output } = experts;
    return {
      kind: "routed",
      segment: this.#addSegment(segment),
      rows,
      weights,
      stacks,
      perExpert,
      output,
      dims: this.#sizes(this.#factored.values.get(output)!),
    };
  }

  /** In two segments where one of them can be interpreted. */
  #runSteps(nodes: readonly GraphNode[], needed: ReadonlySet<string>, context: SegmentContext): RunStep[] {
    const { apart, rest } = cutInterpretable(nodes, context);
    const read = new Set([...needed, ...rest.flatMap((node) => [...readsOf(node)])]);
    return [
      ...(apart.length > 0 ? [this.#runStep(apart, read, context)] : []),
      ...(rest.length > 0 ? [this.#runStep(rest, needed, context)] : []),
    ];
  }

  #runStep(nodes: readonly GraphNode[], needed: ReadonlySet<string>, context: SegmentContext): RunStep {
    const weightless = makeWeightlessSegment(nodes, needed, context, this.#shared);
    if (weightless === undefined) {
      return { kind: "run", segment: this.#addSegment(makeSegment(nodes, needed, context)) };
    }
    const { segment, ...values } = weightless;
    return { kind: "run", segment: this.#addOnce(segment), values };
  }

  #addShared(description: unknown, make: () => Segment): number {
    return this.#addOnce(this.#shared.get(description, make));
  }

  #addOnce(segment: Segment): number {
    const index = this.#indices.get(segment) ?? this.#addSegment(segment);
    this.#indices.set(segment, index);
    return index;
  }

  #addSegment(segment: Segment): number {
    this.#segments.push(segment);
    return this.#segments.length - 1;
  }

  #entry({ inputs, outputs, cacheStages }: StagedEntry, stages: readonly Step[][]): Entry {
    const { graph } = this.#factored;
    const steps = stages.flat();
    const cacheSteps = stages.slice(0, cacheStages).flat().length;
    // A whole row of keys, which is no part of any other, has a name on a rank that attends to none.
    const unkept = graph.caches
      .flatMap(({ states }) => states)
      .filter(({ past, present }) => !this.#has(present) && !this.#isRead(past, steps));
    const given = inputs.filter((name) => this.#has(name) && !unkept.some(({ past }) => past === name));
    return {
      inputs: given.map((name) => this.#localValue(name)),
      // Cache rows that other ranks keep are none of this one's; of other outputs it may have an empty part.
      outputs: outputs
        .filter((name) => !this.#isState(name) || this.#has(name))
        .map((name) => this.#localValue(name)),
      steps,
      ...(cacheSteps < steps.length && { cacheSteps }),
      caches: graph.caches
        .filter(({ positions }) => inputs.includes(positions))
        .map((cache) => ({
          ...cache,
          states: cache.states.filter(({ past, present }) => this.#has(past) && this.#has(present)),
        })),
    };
  }

  #isRead(name: string, steps: readonly Step[]): boolean {
    return steps.some((step) => {
      return step.kind === "run" && (step.values ?? this.#segments[step.segment]!).inputs.includes(name);
    });
  }

  #has(name: string): boolean {
    return this.#local.nameOf(name) !== undefined;
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
    return this.#isState(name) ? undefined : this.#shardOf(name, dims);
  }

  #shardOf(name: string, dims: readonly Dim[]): ValueShard | undefined {
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
      const size = localSize(dim, this.#share);
      return sizeProduct(size, this.#factored.symbols) ?? { scale: size[0], symbols: [] };
    });
  }
}
