// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { lineFloats } from "../../memory-units";
import { firstLanes, fourthLanes, secondLanes, thirdLanes } from "../../vectors";

/**
 * Transposes products and adds the bias: `out[row][i] = from[i][row] + bias[i]`. Addresses are in bytes.
 *
 * @param from `[count, rows]`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 */
export function transposeProducts(from: usize, rows: u32, bias: usize, out: usize, outBytes: u32, count: u32): void {
  const fromBytes: usize = rows << 2;
  const inFours: usize = rows & ~3;
  // One cache line of every row of `out`, then the next: the rows lie so far apart that few lines stay in the cache.
  for (let first: usize = 0; first < count; first += lineFloats) {
    const end = min<usize>(count, first + lineFloats);
    const vectors = first + ((end - first) & ~3);
    for (let row: usize = 0; row < inFours; row += 4) {
      for (let i = first; i < vectors; i += 4) {
        const at = from + i * fromBytes + (row << 2);
        const base = bias === 0 ? f32x4.splat(0) : v128.load(bias + (i << 2));
        const p = v128.load(at);
        const q = v128.load(at + fromBytes);
        const r = v128.load(at + 2 * fromBytes);
        const s = v128.load(at + 3 * fromBytes);
        const to = out + row * outBytes + (i << 2);
        v128.store(to, f32x4.add(firstLanes(p, q, r, s), base));
        v128.store(to + outBytes, f32x4.add(secondLanes(p, q, r, s), base));
        v128.store(to + 2 * outBytes, f32x4.add(thirdLanes(p, q, r, s), base));
        v128.store(to + 3 * outBytes, f32x4.add(fourthLanes(p, q, r, s), base));
      }
    }
    // The rest, which does not fill a tile of four by four.
    for (let i = first; i < end; i++) {
      const base = bias === 0 ? <f32>0 : load<f32>(bias + (i << 2));
      for (let row = i < vectors ? inFours : 0; row < rows; row++) {
        const product = load<f32>(from + i * fromBytes + (row << 2));
        store<f32>(out + row * outBytes + (i << 2), product + base);
      }
    }
  }
}
