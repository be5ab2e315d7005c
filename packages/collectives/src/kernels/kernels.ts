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
 * `m[out + i] = (m[first + i] ∘ m[first + stride + i]) ∘ m[first + 2 stride + i] ∘ …` for `i < length`, over `count`
 * operands, at least two. `out` overlaps none of them.
 */
export type ReduceAllKernel = (
  out: number,
  first: number,
  stride: number,
  count: number,
  length: number,
) => void;

/**
 * The form of float32 elements in a window on their way to other ranks: unchanged; in IEEE 754's binary16; or as 8-bit
 * integers in blocks of {@link int8Block}, each after its float32 scale.
 */
export const wires = ["float32", "float16", "int8"] as const;
export type Wire = (typeof wires)[number];

/** Elements that share a scale. */
export const int8Block = 32;

/**
 * Converts elements to and from a narrower form, both at indices of 4-byte elements. plain-wires.ts defines the forms.
 */
export interface WireKernels {
  readonly encode: MoveKernel;
  readonly decode: MoveKernel;
}

/** `m[out + i] = m[from + i]` for `i < length`; the two do not overlap. */
export type MoveKernel = (out: number, from: number, length: number) => void;

/**
 * `m[to + i] = m[own + i]` for `i < length`; writes `signature` and `length` to this rank's header; then publishes both
 * by storing `round` in its `published` word. Then it checks, at most `looks` times, whether all other ranks have done
 * the same. Returns 1 if all have published `round` and their headers are equal, else 0.
 *
 * All but `length` and the last five are indices, or distances between them: `published` is rank 0's, those of other
 * ranks follow every `line` words, and each rank's header is `header` words behind.
 */
export type OfferKernel = (
  to: number,
  own: number,
  length: number,
  published: number,
  header: number,
  line: number,
  rank: number,
  worldSize: number,
  signature: number,
  round: number,
  looks: number,
) => number;

/** One kernel for each operation on each type of element. */
type Reductions<K> = Readonly<Record<ElementType, Readonly<Record<ReduceOperation, K>>>>;

/**
 * Operations inside one group's memory. They do not check bounds. A float32 sum rounds to fp32 after each addition, and
 * an int32 sum wraps around; a maximum orders −0 < +0. NaN propagates, and its payload bits are not defined.
 */
export interface Kernels extends Reductions<ReduceKernel> {
  readonly all: Reductions<ReduceAllKernel>;
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  readonly wires: Readonly<Record<Exclude<Wire, "float32">, WireKernels>>;
}

/** `simd` is the one to use. `plain` is the JavaScript reference that it is checked against, and many times slower. */
export type KernelChoice = "simd" | "plain";
