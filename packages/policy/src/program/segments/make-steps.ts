import { type GraphNode, readsOf } from "@ringrank/model";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { DeclaredValues } from "../local/declared-values.js";
import type { ExpertStages } from "../local/experts.js";
import type { LocalProducts } from "../local/local-products.js";
import { type LocalExperts, type LocalStage, neededAfter } from "../local/local-stage.js";
import type { ProductStep, RunStep, Segment, Step } from "../program.js";
import { type AttentionHeads, makeAttentionBlock } from "./attention-block.js";
import { cutInterpretable } from "./cut-interpretable.js";
import { describeInterpretable } from "./interpretable.js";
import { makeFloatSegment, makeIntegerSegment } from "./product-segments.js";
import { makeSegment, type SegmentContext } from "./segment.js";
import type { SharedSegments } from "./shared-segments.js";
import { makeWeightlessSegment } from "./weightless-segment.js";

/** Builds the steps of one rank's stages, and the segments that they run. */
export class StepMaker {
  /** Steps refer to these by index. */
  readonly segments: Segment[] = [];
  readonly #experts: ReadonlyMap<RoutedExperts, ExpertStages>;
  readonly #shared: SharedSegments;
  readonly #declared: DeclaredValues;
  /** The index of each shared segment. */
  readonly #indices = new Map<Segment, number>();

  constructor(
    experts: ReadonlyMap<RoutedExperts, ExpertStages>,
    shared: SharedSegments,
    declared: DeclaredValues,
  ) {
    this.#experts = experts;
    this.#shared = shared;
    this.#declared = declared;
  }

  /**
   * Returns the steps by stage.
   *
   * @param outputs names of the entry's outputs
   */
  make(stages: readonly LocalStage[], outputs: readonly string[], context: SegmentContext): Step[][] {
    const needed = neededAfter(stages, outputs);
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

  #block({ keyValueHeads, group, lanes, scale, biasByHead }: AttentionHeads): number {
    const heads = { keyValueHeads, group, lanes, scale, biasByHead };
    return this.#addShared(heads, () => makeAttentionBlock(heads));
  }

  #routedStep({ experts, rows, weights }: LocalExperts): Step {
    const { stages, context, stacks, perExpert } = this.#experts.get(experts)!;
    const steps = this.make(stages, [perExpert], context).flat() as (RunStep | ProductStep)[];
    const { output } = experts;
    const dims = this.#declared.sizesOf(output);
    return { kind: "routed", rows, weights, expert: { steps, stacks, perExpert }, output, dims };
  }

  /** Uses two segments if one of them can be interpreted. */
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
      const segment = makeSegment(nodes, needed, context);
      const interpretable = describeInterpretable(nodes, segment, context);
      return {
        kind: "run",
        segment: this.#addSegment({ ...segment, ...(interpretable && { interpretable }) }),
      };
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
    this.segments.push(segment);
    return this.segments.length - 1;
  }
}
