import { headerFixedWords } from "./layout.js";

/** What a rank calls: published in its header, and compared with what every other rank calls. */
export interface Call {
  readonly kind: CallKind;
  readonly algorithm?: "ring" | "one-shot";
  readonly type?: "float32" | "int32";
  readonly operation?: "sum" | "max";
  /** Elements of this rank's operand, below 2³¹. Absent where ranks differ in it, as `counts` then says. */
  readonly length?: number;
  readonly root?: number;
  /** By rank: lengths of pieces. */
  readonly counts?: readonly number[] | undefined;
}

export type CallKind = NonNullable<(typeof kinds)[number]>;

const kinds = [
  undefined,
  "allReduce",
  "allGather",
  "reduceScatter",
  "broadcast",
  "barrier",
  "leave",
] as const;
const algorithms = [undefined, "ring", "one-shot"] as const;
const types = [undefined, "float32", "int32"] as const;
const operations = [undefined, "sum", "max"] as const;

/** Order of a header's words; the counts follow. */
const field = { kind: 0, algorithm: 1, type: 2, operation: 3, length: 4, root: 5, counts: 6 } as const;

export function writeCall(words: Int32Array, at: number, call: Call): void {
  words[at + field.kind] = kinds.indexOf(call.kind);
  words[at + field.algorithm] = algorithms.indexOf(call.algorithm);
  words[at + field.type] = types.indexOf(call.type);
  words[at + field.operation] = operations.indexOf(call.operation);
  words[at + field.length] = call.length ?? 0;
  words[at + field.root] = call.root ?? 0;
  words[at + field.counts] = call.counts?.length ?? 0;
  if (call.counts) words.set(call.counts, at + headerFixedWords);
}

/** Whether the headers at `mine` and `theirs` call the same collective. */
export function sameCall(words: Int32Array, mine: number, theirs: number): boolean {
  const length = headerFixedWords + words[mine + field.counts]!;
  for (let word = 0; word < length; word++) {
    if (words[mine + word] !== words[theirs + word]) return false;
  }
  return true;
}

/** As a person would write the call: `allReduce(float32[8], sum) by ring`. */
export function describeCall(words: Int32Array, at: number): string {
  const kind = kinds[words[at + field.kind]!];
  if (kind === "leave") return "nothing more: it has left the group";
  const type = types[words[at + field.type]!];
  const operation = operations[words[at + field.operation]!];
  const algorithm = algorithms[words[at + field.algorithm]!];
  const counts = words[at + field.counts]!;
  const gathersUneven = kind === "allGather" && counts > 0;
  const parts = [
    ...(type ? [gathersUneven ? type : `${type}[${words[at + field.length]}]`] : []),
    ...(operation ? [operation] : []),
    ...(kind === "broadcast" ? [`root ${words[at + field.root]}`] : []),
    ...(counts > 0
      ? [`counts ${[...words.slice(at + headerFixedWords, at + headerFixedWords + counts)].join("+")}`]
      : []),
  ];
  return `${kind}(${parts.join(", ")})${algorithm ? ` by ${algorithm}` : ""}`;
}
