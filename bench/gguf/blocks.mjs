/**
 * ggml's block formats, as its reference code quantizes (ggml-quants.c, quantize_row_q8_0_ref and
 * quantize_row_q4_0_ref): 32 elements share a scale in float16.
 */
export const blockElements = 32;

/**
 * By name: ggml's number of the type, the bytes of a block of `elements`, and the function that encodes a row into
 * blocks.
 */
export const blockTypes = {
  F32: { id: 0, elements: 1, bytes: 4, encode: encodeFloat32 },
  Q8_0: { id: 8, elements: blockElements, bytes: 2 + 32, encode: encodeQ8 },
  Q4_0: { id: 2, elements: blockElements, bytes: 2 + 16, encode: encodeQ4 },
};

/**
 * @param values float32, a multiple of the type's `elements`
 * @returns its blocks, concatenated
 */
export function encodeBlocks(type, values) {
  const { elements, bytes, encode } = blockTypes[type];
  if (values.length % elements !== 0) {
    throw new Error(`${type}: expected a multiple of ${elements} elements, got ${values.length}`);
  }
  const out = new Uint8Array((values.length / elements) * bytes);
  encode(values, out);
  return out;
}

function encodeFloat32(values, out) {
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** Scale, then 32 signed bytes: x ≈ scale · q. */
function encodeQ8(values, out) {
  let at = 0;
  for (let from = 0; from < values.length; from += 32) {
    let most = 0;
    for (let i = from; i < from + 32; i++) {
      const size = Math.abs(values[i]);
      if (size > most) most = size;
    }
    const scale = Math.fround(most / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = toFloat16(scale);
    out[at++] = half & 0xff;
    out[at++] = half >>> 8;
    for (let i = from; i < from + 32; i++) {
      const x = Math.fround(values[i] * inverse);
      // Like C's roundf: halves away from 0.
      out[at++] = x < 0 ? x - 0.5 : x + 0.5;
    }
  }
}

/**
 * The scale, then 16 bytes with two elements each: element i in the low half of byte i, element i + 16 in the high one;
 * x ≈ scale · (q − 8).
 */
function encodeQ4(values, out) {
  let at = 0;
  for (let from = 0; from < values.length; from += 32) {
    let most = 0;
    let extreme = 0;
    for (let i = 0; i < 32; i++) {
      const size = Math.abs(values[from + i]);
      if (size <= most) continue;
      most = size;
      extreme = values[from + i];
    }
    const scale = Math.fround(extreme / -8);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = toFloat16(scale);
    out[at++] = half & 0xff;
    out[at++] = half >>> 8;
    for (let i = 0; i < 16; i++) {
      const low = (Math.fround(values[from + i] * inverse) + 8.5) | 0;
      const high = (Math.fround(values[from + 16 + i] * inverse) + 8.5) | 0;
      out[at++] = Math.min(15, low) | (Math.min(15, high) << 4);
    }
  }
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of the float16 nearest to a finite number, ties to even. */
function toFloat16(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const size = bits[0] & 0x7fffffff;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size < 0x38800000) {
    // Subnormal: a multiple of 2^-24. Adding 0.5 leaves its 10 bits, rounded, at the end of the sum.
    float[0] = Math.abs(value) + 0.5;
    return sign | (bits[0] - 0x3f000000);
  }
  const odd = (size >>> 13) & 1;
  return sign | ((size - 0x38000000 + 0xfff + odd) >>> 13);
}
