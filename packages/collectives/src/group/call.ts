import type { GroupMemory } from "./group-memory.js";

/** A rank's call, which is published in its header and compared with the calls of all other ranks. */
export interface Call {
  readonly kind: CallKind;
  readonly algorithm?: keyof typeof algorithms;
  readonly type?: "float32" | "int32";
  readonly operation?: keyof typeof operations;
  /** Elements of this rank's operand, below 2³¹. Absent if the ranks' lengths differ, which `counts` then lists. */
  readonly length?: number;
  readonly root?: number;
  /** Lengths of the pieces, by rank. */
  readonly counts?: readonly number[] | undefined;
}

export type CallKind = keyof typeof kinds;

// In a signature, 0 means that the call has none of these.
const kinds = { allReduce: 1, allGather: 2, reduceScatter: 3, broadcast: 4, barrier: 5, leave: 6 } as const;
const algorithms = { ring: 1, "one-shot": 2, "two-shot": 3 } as const;
const types = { float32: 1, int32: 2 } as const;
const operations = { sum: 1, max: 2, "rounded sum": 3 } as const;

/**
 * A header has two words: the signature, then the length.
 *
 * | bits of the signature | 0–2  | 3–4       | 5–6  | 7–8       | 9–14 | 15               |
 * |-----------------------|------|-----------|------|-----------|------|------------------|
 * |                       | kind | algorithm | type | operation | root | has a counts list |
 */
const bit = { kind: 0, algorithm: 3, type: 5, operation: 7, root: 9, counts: 15 } as const;
const bits = (signature: number, at: number, width: number) => (signature >> at) & ((1 << width) - 1);

/** The first word of the call's header. */
export function signatureOf(call: Call): number {
  return (
    (kinds[call.kind] << bit.kind) |
    ((call.algorithm ? algorithms[call.algorithm] : 0) << bit.algorithm) |
    ((call.type ? types[call.type] : 0) << bit.type) |
    ((call.operation ? operations[call.operation] : 0) << bit.operation) |
    ((call.root ?? 0) << bit.root) |
    ((call.counts ? 1 : 0) << bit.counts)
  );
}

export function writeCall(memory: GroupMemory, rank: number, collective: number, call: Call): void {
  const { words, layout } = memory;
  const at = layout.header(rank, collective);
  words[at] = signatureOf(call);
  words[at + 1] = call.length ?? 0;
  if (call.counts) words.set(call.counts, layout.counts(rank, collective));
}

/** Whether two ranks call the same collective. */
export function sameCall(memory: GroupMemory, collective: number, one: number, other: number): boolean {
  const { words, layout, worldSize } = memory;
  const mine = layout.header(one, collective);
  const theirs = layout.header(other, collective);
  if (words[mine] !== words[theirs] || words[mine + 1] !== words[theirs + 1]) return false;
  if (bits(words[mine]!, bit.counts, 1) === 0) return true;
  const myCounts = layout.counts(one, collective);
  const theirCounts = layout.counts(other, collective);
  for (let rank = 0; rank < worldSize; rank++) {
    if (words[myCounts + rank] !== words[theirCounts + rank]) return false;
  }
  return true;
}

/** The call in readable form: `allReduce(float32[8], sum) by ring`. */
export function describeCall(memory: GroupMemory, collective: number, rank: number): string {
  const { words, layout, worldSize } = memory;
  const at = layout.header(rank, collective);
  const signature = words[at]!;
  const kind = nameOf(kinds, bits(signature, bit.kind, 3));
  if (kind === "leave") return "nothing more: it has left the group";
  const type = nameOf(types, bits(signature, bit.type, 2));
  const operation = nameOf(operations, bits(signature, bit.operation, 2));
  const algorithm = nameOf(algorithms, bits(signature, bit.algorithm, 2));
  const hasCounts = bits(signature, bit.counts, 1) === 1;
  const gathersUneven = kind === "allGather" && hasCounts;
  const countsAt = layout.counts(rank, collective);
  const parts = [
    ...(type ? [gathersUneven ? type : `${type}[${words[at + 1]}]`] : []),
    ...(operation ? [operation] : []),
    ...(kind === "broadcast" ? [`root ${bits(signature, bit.root, 6)}`] : []),
    ...(hasCounts ? [`counts ${[...words.slice(countsAt, countsAt + worldSize)].join("+")}`] : []),
  ];
  return `${kind}(${parts.join(", ")})${algorithm ? ` by ${algorithm}` : ""}`;
}

function nameOf(codes: Readonly<Record<string, number>>, code: number): string | undefined {
  return Object.keys(codes).find((name) => codes[name] === code);
}
