import type { ReduceOperation } from "../communicator.js";

/** Element types that kernels reduce. */
export type ElementType = "float32" | "int32";

/**
 * `m[out + i] = m[left + i] ∘ m[right + i]` for `i < length`, where m is a group's memory as 4-byte elements. `out`
 * may be `left` or `right`, and overlaps neither otherwise. `left` is the operand that comes first in the documented
 * order.
 */
export type ReduceKernel = (out: number, left: number, right: number, length: number) => void;

/**
 * How float32 elements lie in a window on their way to other ranks: as they are; in IEEE 754's binary16; or as whole
 * numbers of 8 bits in blocks of {@link int8Block}, each behind its float32 scale.
 */
export const wires = ["float32", "float16", "int8"] as const;
export type Wire = (typeof wires)[number];

/** Elements that share a scale. */
export const int8Block = 32;

/** Elements to and from a narrower form, both at indices of 4-byte elements. The forms are in plain-wires.ts. */
export interface WireKernels {
  readonly encode: MoveKernel;
  readonly decode: MoveKernel;
}

/** `m[out + i] = m[from + i]` for `i < length`; the two do not overlap. */
export type MoveKernel = (out: number, from: number, length: number) => void;

/**
 * `m[slot + i] = m[own + i]` for `i < length`, and `signature` and `length` go into `header`. Then it publishes both:
 * stores `round` in the word `published`. All are indices. Then it looks `looks` times at most whether the other rank
 * has done the same: 1 if it has published `round` and its header says the same, 0 if not, or not yet.
 */
export type OfferKernel = (
  slot: number,
  own: number,
  length: number,
  header: number,
  published: number,
  otherHeader: number,
  otherPublished: number,
  signature: number,
  round: number,
  looks: number,
) => number;

/** One kernel for each operation on each type of element. */
type Reductions<K> = Readonly<Record<ElementType, Readonly<Record<ReduceOperation, K>>>>;

/**
 * What computes inside one group's memory. Nothing here checks bounds.
 *
 * A float32 sum rounds to fp32 after each addition and an int32 sum wraps; a maximum has −0 < +0. NaN propagates,
 * and its payload bits are not defined.
 */
export interface Kernels extends Reductions<ReduceKernel> {
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  readonly wires: Readonly<Record<Exclude<Wire, "float32">, WireKernels>>;
}

/** `simd` is what to use; `plain` is the reference in JavaScript that it is checked against, many times slower. */
export type KernelChoice = "simd" | "plain";
