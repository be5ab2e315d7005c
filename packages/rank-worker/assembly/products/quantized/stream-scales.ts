// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Puts the scales of a matrix in the order in which kernels read them (../streams.ts). A load waits for this, and a
// model of a billion weights has thirty million scales.

import { firstLanes, fourthLanes, secondLanes, thirdLanes } from "../../vectors";

/** The bytes that each scale needs: 2 if bfloat16 can represent all (if the lower half of each is zero), or 4. */
export function scaleBytesOf(floats: usize, count: usize): u32 {
  let bits = i32x4.splat(0);
  const end = floats + (count << 2);
  for (; floats + 16 <= end; floats += 16) bits = v128.or(bits, v128.load(floats));
  for (; floats < end; floats += 4) bits = v128.or(bits, v128.load_zero<u32>(floats));
  return v128.any_true(v128.and(bits, i32x4.splat(0xffff))) ? 4 : 2;
}

/**
 * Interleaves streams of floats, which bfloat16 can represent if they are to be stored so: `[streams, count]` to
 * `[count, streams]`. Addresses are in bytes.
 *
 * @param streams 8, 4 or 1
 * @param outBytes bytes of a scale in `out`: 4 or 2 (scales.ts)
 */
export function streamScales(from: usize, streams: usize, count: usize, out: usize, outBytes: u32): void {
  const toNext = count << 2;
  const end = from + toNext;
  if (streams === 8) {
    for (; from + 16 <= end; from += 16, out += outBytes << 5) fourOfEight(from, toNext, out, outBytes);
  }
  for (; from < end; from += 4) {
    let at = from;
    for (let stream: usize = 0; stream < streams; stream++, at += toNext, out += outBytes) {
      if (outBytes === 2) store<u16>(out, load<u16>(at, 2));
      else store<f32>(out, load<f32>(at));
    }
  }
}

/** The next four floats of each of eight streams. */
@inline
function fourOfEight(from: usize, toNext: usize, out: usize, outBytes: u32): void {
  const third = from + 2 * toNext;
  const fifth = third + 2 * toNext;
  const seventh = fifth + 2 * toNext;
  const a = v128.load(from);
  const b = v128.load(from + toNext);
  const c = v128.load(third);
  const d = v128.load(third + toNext);
  const e = v128.load(fifth);
  const f = v128.load(fifth + toNext);
  const g = v128.load(seventh);
  const h = v128.load(seventh + toNext);
  storeEight(out, firstLanes(a, b, c, d), firstLanes(e, f, g, h), outBytes);
  storeEight(out + (outBytes << 3), secondLanes(a, b, c, d), secondLanes(e, f, g, h), outBytes);
  storeEight(out + (outBytes << 4), thirdLanes(a, b, c, d), thirdLanes(e, f, g, h), outBytes);
  storeEight(out + 24 * outBytes, fourthLanes(a, b, c, d), fourthLanes(e, f, g, h), outBytes);
}

@inline
function storeEight(out: usize, first: v128, second: v128, outBytes: u32): void {
  if (outBytes === 2) {
    v128.store(out, v128.shuffle<i16>(first, second, 1, 3, 5, 7, 9, 11, 13, 15));
  } else {
    v128.store(out, first);
    v128.store(out, second, 16);
  }
}
