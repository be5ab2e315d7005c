// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Converts float32
// elements to narrower forms and back, between ranks. Positions and lengths are as in kernels.ts; the plain kernels
// (src/kernels/plain-wires.ts) define each form, bit for bit.

export function toHalves(out: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) {
    store<u16>((out << 2) + (i << 1), <u16>toHalf(load<f32>((from + i) << 2)));
  }
}

export function fromHalves(out: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) {
    store<f32>((out + i) << 2, fromHalf(load<u16>((from << 2) + (i << 1))));
  }
}

/** Rounds on the bits: a carry out of the fraction is the right step into the exponent. */
@inline
function toHalf(x: f32): u32 {
  const bits = reinterpret<u32>(x);
  const sign = (bits >> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > infinity) return quietHalf;
  if (size >= 0x477ff000) return sign | infiniteHalf;
  // Below 2⁻¹⁴: 0.5 has a last place of 2⁻²⁴, as such halves have, so the addition rounds.
  if (size < 0x38800000) return sign | (reinterpret<u32>(reinterpret<f32>(size) + 0.5) - 0x3f000000);
  const even = (size >> 13) & 1;
  return sign | ((size - exponentShift + 0xfff + even) >> 13);
}

@inline
function fromHalf(half: u32): f32 {
  const sign = (half & 0x8000) << 16;
  const size = half & 0x7fff;
  if (size >= infiniteHalf) return reinterpret<f32>(sign | infinity | ((size & 0x3ff) << 13));
  if (size < 0x400) return reinterpret<f32>(sign | reinterpret<u32>(<f32>size * <f32>5.9604644775390625e-8));
  return reinterpret<f32>(sign | ((size << 13) + exponentShift));
}

const infinity: u32 = 0x7f800000;
const infiniteHalf: u32 = 0x7c00;
const quietHalf: u32 = 0x7e00;
/** From an exponent that counts from −15 to one that counts from −127. */
const exponentShift: u32 = (127 - 15) << 23;

export function toInt8(out: usize, from: usize, length: usize): void {
  let block = out << 2;
  for (let start: usize = 0; start < length; start += blockLength, block += blockBytes) {
    const count = min(blockLength, length - start);
    const first = (from + start) << 2;
    let most: f32 = 0;
    for (let i: usize = 0; i < count; i++) most = max(most, abs(load<f32>(first + (i << 2))));
    store<f32>(block, most / 127);
    const inverse: f32 = most == 0 ? 0 : 127 / most;
    for (let i: usize = 0; i < count; i++) {
      const scaled = nearest(load<f32>(first + (i << 2)) * inverse);
      store<i8>(block + 4 + i, <i8>(<i32>min<f32>(127, max<f32>(-127, scaled))));
    }
  }
}

export function fromInt8(out: usize, from: usize, length: usize): void {
  let block = from << 2;
  for (let start: usize = 0; start < length; start += blockLength, block += blockBytes) {
    const count = min(blockLength, length - start);
    const first = (out + start) << 2;
    const scale = load<f32>(block);
    for (let i: usize = 0; i < count; i++) {
      store<f32>(first + (i << 2), <f32>load<i8>(block + 4 + i) * scale);
    }
  }
}

/** Elements that share a scale, and their bytes with it. */
const blockLength: usize = 32;
const blockBytes: usize = 4 + blockLength;
