// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Attention of one
// new token per sequence over its cached rows (https://arxiv.org/abs/1706.03762), for all heads of a rank.
// src/attention/row-attention.ts fills the block of arguments, and policy/src/program/program.ts (AttentionOverCache)
// defines what is computed; tests compare every result with ONNX Runtime's operators.
//
// One key head serves `group` queries (https://arxiv.org/abs/2305.13245). They are processed eight at a time, and up to
// four that remain in another way, which is faster for so few.

import { Arguments } from "./arguments";
import { attendEight } from "./attend-eight";
import { attendFew } from "./attend-few";
import { keepRow } from "./rows";

/** @param isWide whether the engine computes on 256 bits */
export function attend(args: Arguments, isWide: bool): void {
  const group = <usize>args.group;
  const byEights = (group + 3) & ~7;
  for (let sequence: usize = 0; sequence < args.batch; sequence++) {
    for (let head: usize = 0; head < args.keyValueHeads; head++) {
      keepRow(sequence, head, args);
      for (let first: usize = 0; first < byEights; first += 8) {
        attendEight(sequence, head, first, min(<usize>8, group - first), isWide, args);
      }
      if (byEights < group) attendFew(sequence, head, byEights, args);
    }
  }
}
