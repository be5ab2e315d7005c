import { isOne, isStatic, isZero, type SizePair } from "../shapes/size-pair.js";

/**
 * A dimension as a product of indivisible pieces.
 *
 * A fused projection of width 768 that turns out to be four groups of (two query heads, one key head, one value
 * head) of 48 lanes each is, major to minor,
 *
 *     kv(4) · ( query(2) + key(1) + value(1) ) · lane(48)
 *
 * A {@link Factor} is a union–find node. A leaf is a piece nobody has had to divide yet; on demand it is bound to
 * a product of other factors or to a sum of products (the segments of a concatenation). Bindings are shared, so
 * what one operator finds out about a dimension holds at once wherever that dimension came from or went to.
 *
 * A size is carried as a pair, from two evaluations of the graph at different values of its dynamic dimensions. A size
 * of 1 is the empty product.
 */
export type Dim = readonly Factor[];

export interface Factor {
  readonly size: SizePair;
  /** How the factor has been bound; a leaf until then. */
  binding: Binding;
  /** Why the factor may not be sharded; undefined if it may. Only meaningful for leaves. */
  whole: WholeReason | undefined;
}

type Binding =
  | { readonly kind: "leaf" }
  /** Equal to another factor. */
  | { readonly kind: "same"; to: Factor }
  | { readonly kind: "product"; readonly factors: Dim }
  | { readonly kind: "sum"; readonly parts: readonly Dim[] };

/** What needs a factor unsplit: the operator and its reason. */
export interface WholeReason {
  readonly operator: string;
  readonly why: string;
}

const leafBinding: Binding = { kind: "leaf" };

/** A new leaf of a size above 1. */
export function leaf(size: SizePair): Factor {
  return { size, binding: leafBinding, whole: undefined };
}

/** A dimension without further information: one new leaf, or the empty product for size 1. */
export function freshDim(size: SizePair): Dim {
  return isOne(size) ? [] : [leaf(size)];
}

/** The dimension that consists of `parts`, laid end to end. */
export function sumDim(parts: readonly Dim[]): Dim {
  const kept = parts.filter((part) => !isZero(sizeOf(part)));
  if (kept.length === 1) return kept[0]!;
  let first = 0;
  let second = 0;
  for (const part of kept) {
    const size = sizeOf(part);
    first += size[0];
    second += size[1];
  }
  return [{ size: [first, second], binding: { kind: "sum", parts: kept }, whole: undefined }];
}

/** The factor that `factor` has been found to be equal to. */
function root(factor: Factor): Factor {
  let top = factor;
  while (top.binding.kind === "same") top = top.binding.to;
  // Path compression.
  let at = factor;
  while (at.binding.kind === "same") {
    const next = at.binding.to;
    at.binding.to = top;
    at = next;
  }
  return top;
}

/** `dim` with every product expanded: only roots, each a leaf or a sum. */
export function resolve(dim: Dim): Factor[] {
  const out: Factor[] = [];
  resolveInto(dim, out);
  return out;
}

function resolveInto(dim: Dim, out: Factor[]): void {
  for (const factor of dim) {
    const top = root(factor);
    if (top.binding.kind === "product") resolveInto(top.binding.factors, out);
    else out.push(top);
  }
}

/**
 * The segments of a sum as they are bound; a segment may be a sum itself. Undefined for a leaf. Callers that add up
 * over segments, or ask something of any or all of them, need no more, and call this often.
 */
export function segmentsOf({ binding }: Factor): readonly Dim[] | undefined {
  return binding.kind === "sum" ? binding.parts : undefined;
}

/** The segments of a sum, with nested sums expanded; undefined for a leaf. */
export function partsOf(factor: Factor): readonly Dim[] | undefined {
  return segmentsOf(factor)?.flatMap((part) => {
    const [only, ...others] = resolve(part);
    return (only !== undefined && others.length === 0 && partsOf(only)) || [part];
  });
}

export function isLeaf(factor: Factor): boolean {
  return factor.binding.kind === "leaf";
}

export function sizeOf(dim: Dim): SizePair {
  let first = 1;
  let second = 1;
  for (const { size } of dim) {
    first *= size[0];
    second *= size[1];
  }
  return [first, second];
}

/** Every leaf below `dim`, including those of segments. */
export function leavesOf(dim: Dim): Factor[] {
  const out: Factor[] = [];
  for (const factor of resolve(dim)) {
    const parts = segmentsOf(factor);
    if (parts === undefined) out.push(factor);
    else for (const part of parts) out.push(...leavesOf(part));
  }
  return out;
}

/** Prevents `dim` from being sharded by any of its factors. The first reason is kept. */
export function keepWhole(dim: Dim, reason: WholeReason): void {
  for (const factor of leavesOf(dim)) factor.whole ??= reason;
}

/** The structure as text: `4·(2+1+1)·48`, with `?` for a dynamic size. */
export function describeDim(dim: Dim): string {
  const factors = resolve(dim);
  if (factors.length === 0) return "1";
  return factors
    .map((factor) => {
      const parts = partsOf(factor);
      if (parts !== undefined) return `(${parts.map(describeDim).join("+")})`;
      return isStatic(factor.size) ? String(factor.size[0]) : "?";
    })
    .join("·");
}
