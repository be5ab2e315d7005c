// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Makes a list of
// kernel calls that src/kernels/call-list.ts wrote.

import { add, addRow } from "./add";
import { elementwise } from "./elementwise/elementwise";
import { normalize } from "./normalize";
import { multiplyBfloats } from "./products/bfloats/multiply-bfloats";
import { splitRows } from "./products/bfloats/split-rows";
import { multiplyFloats } from "./products/floats/multiply-floats";
import { multiply4, multiply8 } from "./products/quantized/multiply";
import { quantize4, quantize8 } from "./products/quantized/quantized-rows";

/** Bytes of a call: a cache line, with the kernel's number and up to 15 arguments of 4 bytes each. */
const callBytes: usize = 64;

/** In the order of src/kernels/kernel-call.ts. */
enum Kernel {
  add,
  addRow,
  elementwise,
  multiply4,
  multiply8,
  multiplyBfloats,
  multiplyFloats,
  normalize,
  quantize4,
  quantize8,
  splitRows,
}

/** Makes the calls from `first` to `end` (exclusive), in order. */
export function makeCalls(first: usize, end: usize): void {
  for (let at = first; at < end; at += callBytes) makeCall(at);
}

function makeCall(at: usize): void {
  const a = argument(at, 0);
  const b = argument(at, 1);
  const c = argument(at, 2);
  const d = argument(at, 3);
  const e = argument(at, 4);
  const f = argument(at, 5);
  const g = argument(at, 6);
  const h = argument(at, 7);
  const i = argument(at, 8);
  switch (<Kernel>load<u32>(at)) {
    case Kernel.add:
      return add(a, b, c, d);
    case Kernel.addRow:
      return addRow(a, b, c, d, e);
    case Kernel.elementwise:
      return elementwise(a, b, c);
    case Kernel.multiply4:
      return multiply4(a, b, <bool>c, d, e, f, g, h, i, argument(at, 9), argument(at, 10));
    case Kernel.multiply8:
      return multiply8(a, b, <bool>c, d, e, f, g, h, i, argument(at, 9), argument(at, 10));
    case Kernel.multiplyBfloats:
      return multiplyBfloats(a, b, c, d, e, f, g, h, i);
    case Kernel.multiplyFloats:
      return multiplyFloats(a, b, c, d, e, f, g, h, i);
    case Kernel.normalize:
      return normalize(a, b, c, d, e, f, reinterpret<f32>(g), <bool>h);
    case Kernel.quantize4:
      return quantize4(a, b, c, <bool>d, e);
    case Kernel.quantize8:
      return quantize8(a, b, c, <bool>d, e);
    case Kernel.splitRows:
      return splitRows(a, b, c, d);
  }
}

@inline
function argument(at: usize, index: usize): u32 {
  return load<u32>(at + 4 + (index << 2));
}
