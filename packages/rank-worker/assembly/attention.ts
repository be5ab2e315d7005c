// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Attention of one new token per sequence over its cached rows (https://arxiv.org/abs/1706.03762), for all heads of a
// rank. src/attention/row-attention.ts fills the block of arguments, policy/src/program/program.ts (AttentionOverCache)
// says what is computed; tests compare every result with ONNX Runtime's operators.
//
// One head of keys and values serves `group` queries (https://arxiv.org/abs/2305.13245). They are taken by fours, and what
// is left one by one, or as four where it is three. All of them go over a tile of the cache while it is near: the cache is
// read from memory once.

import { Arguments } from "./arguments";
import { addToFour, mixFour, packFour, scaled, scoreFour, softmaxFour } from "./four-queries";
import { addToOne, mixOne, scoreOne, softmaxOne } from "./one-query";

/** Rows of keys, or of values, that stay in the nearest cache while all queries of their head go over them. */
const tileRows: usize = 32;

export function attend(args: Arguments): void {
  const group = <usize>args.group;
  const past = <usize>args.past;
  const rowBytes = <usize>args.lanes << 2;
  const headBytes = past * rowBytes;

  const fours = (group + 1) >> 2;
  const ofFours = fours << 2;
  const fourBytes = rowBytes << 2;
  const scoresOfFour = (past + 1) << 4;
  // In whole vectors.
  const scoresOfOne = ((past + 4) & ~3) << 2;
  // scratchLength of src/attention/row-attention.ts is what this comes to at most.
  const queries = args.scratch;
  const packed = queries + max(group, ofFours) * rowBytes;
  const sums = packed + fours * fourBytes;
  const scores = sums + fours * fourBytes;
  const others = scores + fours * scoresOfFour - ofFours * scoresOfOne;

  for (let row: usize = 0; row < args.batch; row++) {
    for (let head: usize = 0; head < args.keyValueHeads; head++) {
      const at = row * args.keyValueHeads + head;
      const presentKey = args.presentKeys + at * rowBytes;
      const presentValue = args.presentValues + at * rowBytes;
      const pastKeys = args.pastKeys + at * headBytes;
      const pastValues = args.pastValues + at * headBytes;
      const context = args.context + at * group * rowBytes;
      const firstQuery = head * group;
      const lastQuery = firstQuery + group - 1;

      turn(presentKey, args.key + row * args.keyRow + head * args.keyHead, row, 1, args);
      memory.copy(presentValue, args.value + row * args.valueRow + head * args.valueHead, rowBytes);
      for (let one: usize = 0; one < max(group, ofFours); one++) {
        // Where the last four are three, the third is there twice.
        const from = args.query + row * args.queryRow + head * args.queryHead + min(one, group - 1) * rowBytes;
        turn(queries + one * rowBytes, from, row, args.scale, args);
      }
      for (let four: usize = 0; four < fours; four++) {
        packFour(packed + four * fourBytes, queries + four * fourBytes, rowBytes);
      }

      let rows: usize = 0;
      for (let first: usize = 0; first <= past; first += rows) {
        rows = first < past ? min(tileRows, past - first) : 1;
        const keys = first < past ? pastKeys + first * rowBytes : presentKey;
        for (let four: usize = 0; four < fours; four++) {
          const out = scores + four * scoresOfFour + (first << 4);
          scoreFour(out, packed + four * fourBytes, keys, rows, rowBytes);
        }
        for (let one = ofFours; one < group; one++) {
          scoreOne(others + one * scoresOfOne + (first << 2), queries + one * rowBytes, keys, rows, rowBytes);
        }
      }

      // From here on, queries are no longer needed: one divided by the sum of a query's shares comes in their place.
      for (let four: usize = 0; four < fours; four++) {
        const ofFour = scores + four * scoresOfFour;
        addToFour(ofFour, row, firstQuery + (four << 2), lastQuery, args);
        v128.store(queries + (four << 4), softmaxFour(ofFour, past + 1));
      }
      for (let one = ofFours; one < group; one++) {
        const ofOne = others + one * scoresOfOne;
        addToOne(ofOne, row, firstQuery + one, args);
        softmaxOne(ofOne, past + 1, scoresOfOne);
      }

      memory.fill(sums, 0, fours * fourBytes);
      memory.fill(context, 0, group * rowBytes);
      for (let first: usize = 0; first <= past; first += rows) {
        rows = first < past ? min(tileRows, past - first) : 1;
        const values = first < past ? pastValues + first * rowBytes : presentValue;
        for (let four: usize = 0; four < fours; four++) {
          mixFour(sums + four * fourBytes, scores + four * scoresOfFour + (first << 4), values, rows, rowBytes);
        }
        for (let one = ofFours; one < group; one++) {
          mixOne(context + one * rowBytes, others + one * scoresOfOne + (first << 2), values, rows, rowBytes);
        }
      }
      for (let one: usize = 0; one < min(group, ofFours); one++) {
        scaled(context + one * rowBytes, sums + one * rowBytes, load<f32>(queries + (one << 2)), rowBytes);
      }
    }
  }
}

/** One head's lanes, times `scale`, turned by the rotary position embedding (https://arxiv.org/abs/2104.09864). */
function turn(out: usize, from: usize, row: usize, scale: f32, args: Arguments): void {
  const half = <usize>args.rotaryLanes >> 1;
  const cos = args.cos + row * (half << 2);
  const sin = args.sin + row * (half << 2);
  // (i, i + half), or neighbours (2i, 2i + 1).
  const step: usize = args.interleaved ? 8 : 4;
  const partner: usize = args.interleaved ? 4 : half << 2;
  for (let pair: usize = 0; pair < half; pair++) {
    const at = pair * step;
    const a = load<f32>(from + at);
    const b = load<f32>(from + at + partner);
    const c = load<f32>(cos + (pair << 2));
    const s = load<f32>(sin + (pair << 2));
    store<f32>(out + at, (a * c - b * s) * scale);
    store<f32>(out + at + partner, (b * c + a * s) * scale);
  }
  for (let lane = <usize>args.rotaryLanes; lane < args.lanes; lane++) {
    store<f32>(out + (lane << 2), load<f32>(from + (lane << 2)) * scale);
  }
}
