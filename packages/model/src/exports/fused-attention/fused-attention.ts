import { RingrankError } from "@ringrank/errors";
import type { CausalCaches } from "../../architectures/blocks/causal-cache.js";
import type { CausalStep } from "../../architectures/blocks/causal-step.js";
import { intAttribute } from "../../graph/attributes.js";
import type { GraphBuilder, GraphNode, Value, Weight } from "../../graph/index.js";
import type { StatePair } from "../state-pairs.js";

/** One operator that computes attention over past and new rows, and gives both as its present. */
export interface FusedAttention {
  readonly node: GraphNode;
  readonly key: StatePair;
  readonly value: StatePair;
  /** Whether it reads a bias or a mask that the graph makes, and with it what that takes the size of the past for. */
  readonly exact: boolean;
  readonly lower: LowerAttention;
}

/** What a fused operator's attention is written with. */
export interface Lowering {
  readonly g: GraphBuilder;
  readonly node: GraphNode;
  /** By slot; undefined where it is left out. */
  readonly input: (slot: number) => Value | undefined;
  /** The constant at a slot. */
  readonly weight: (slot: number) => Weight | undefined;
  /** The last size of what is at a slot, where the graph says it. */
  readonly lastSize: (slot: number) => number | undefined;
  readonly key: StatePair;
  readonly value: StatePair;
  readonly caches: CausalCaches;
  readonly step: Pick<CausalStep, "attentionMask" | "positionIds">;
}

/** Writes the operator's attention in primitive operators; gives its first output. */
export type LowerAttention = (lowering: Lowering) => Value;

/** An operator whose attention may be written in primitive ones. */
export interface AttentionOperator {
  /** Slots of the past, `[batch, heads, past, lanes]` each. */
  readonly past: { readonly key: number; readonly value: number };
  /** Slots of biases and masks that span past and new rows. */
  readonly biases: readonly number[];
  readonly lower: LowerAttention;
}

/**
 * Lanes of a head of a state, `[batch, heads, past, lanes]`.
 *
 * @param otherwise what the graph says where the state does not
 * @throws RR_NO_GENERATE where neither does
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
 * How many of something there are, which the operator has to say.
 *
 * @throws RR_NO_GENERATE
 */
export function countOf(node: GraphNode, name: string): number {
  const count = intAttribute(node, name, 0);
  if (count > 0) return count;
  throw notLowered(node, `no ${name}`);
}

/** A form of an operator that nobody has written down yet. */
export function notLowered({ opType, outputs }: GraphNode, what: string): RingrankError {
  return new RingrankError(
    "RR_NO_GENERATE",
    `the ${opType} that computes ${outputs[0]} has ${what}, which is not supported with a cache`,
  );
}
