import { RingrankError } from "@ringrank/errors";
import type { CausalCaches } from "../../architectures/blocks/causal-cache.js";
import type { CausalStep } from "../../architectures/blocks/causal-step.js";
import { intAttribute } from "../../graph/attributes.js";
import type { GraphBuilder, GraphNode, Value, Weight } from "../../graph/index.js";
import type { StatePair } from "../state-pairs.js";

/** One operator that computes attention over past and new rows, and outputs both as its present. */
export interface FusedAttention {
  readonly node: GraphNode;
  readonly key: StatePair;
  readonly value: StatePair;
  /**
   * Whether it reads a bias or mask that the graph computes, which may use the size of the past as the number of its
   * rows.
   */
  readonly exact: boolean;
  readonly lower: LowerAttention;
}

/** The inputs for writing a fused operator's attention in primitive operators. */
export interface Lowering {
  readonly g: GraphBuilder;
  readonly node: GraphNode;
  /** By slot; undefined if it is omitted. */
  readonly input: (slot: number) => Value | undefined;
  /** The constant at a slot. */
  readonly weight: (slot: number) => Weight | undefined;
  /** The last size of the value at a slot, if the graph determines it. */
  readonly lastSize: (slot: number) => number | undefined;
  readonly key: StatePair;
  readonly value: StatePair;
  readonly caches: CausalCaches;
  readonly step: Pick<CausalStep, "attentionMask" | "positionIds">;
}

/** Writes the operator's attention in primitive operators; returns its first output. */
export type LowerAttention = (lowering: Lowering) => Value;

/** An operator whose attention can be written in primitive operators. */
export interface AttentionOperator {
  /** Slots of the past, `[batch, heads, past, lanes]` each. */
  readonly past: { readonly key: number; readonly value: number };
  /** Slots of biases and masks that span past and new rows. */
  readonly biases: readonly number[];
  readonly lower: LowerAttention;
}

/**
 * The number of lanes in a head of a state, `[batch, heads, past, lanes]`.
 *
 * @param otherwise the number that follows from the rest of the graph, if the state does not declare one
 * @throws RR_NO_GENERATE if there is neither
 */
export function lanesOf({ past }: StatePair, otherwise?: number): number {
  const declared = past.dims[3];
  const lanes = typeof declared === "number" ? declared : otherwise;
  if (lanes !== undefined && Number.isInteger(lanes) && past.dims.length === 4) return lanes;
  throw new RingrankError(
    "RR_NO_GENERATE",
    `expected the state ${past.name} to be [batch, heads, past, lanes] with a number of lanes, found [${past.dims}]`,
  );
}

/**
 * An attribute with a count, which the operator must have.
 *
 * @throws RR_NO_GENERATE
 */
export function countOf(node: GraphNode, name: string): number {
  const count = intAttribute(node, name, 0);
  if (count > 0) return count;
  throw notLowered(node, `no ${name}`);
}

/** The error for a form of an operator that is not supported yet. */
export function notLowered({ opType, outputs }: GraphNode, what: string): RingrankError {
  return new RingrankError(
    "RR_NO_GENERATE",
    `the ${opType} that computes ${outputs[0]} has ${what}, which is not supported with a cache`,
  );
}
