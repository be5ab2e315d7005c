// Four rows of a matrix of quantized weights, unpacked block by block for products with several rows of activations
// (several-rows.ts). A block has the scales of the four rows, and then the weights of one row after another:
//
//   of 4 bits      even elements, uint8 ×16 │ odd ones, ×16            16 + 4 · 32 = 144 bytes
//   of 8 bits      elements, uint16 ×8 │ ×8 │ ×8 │ ×8                  16 + 4 · 64 = 272 bytes

import { lowHalves } from "./dots";
import { scalesOfFour } from "./scales";

/** Bytes of the four scales of a block. */
export const scalesOfRows: usize = 16;

/** Bytes of the weights of one row in a block. */
@inline
export function unpackedRowBytes(bits: usize): usize {
  return bits << 3;
}

/** Bytes of a block of all four rows. */
@inline
export function unpackedBytes(bits: usize): usize {
  return scalesOfRows + 4 * unpackedRowBytes(bits);
}

/**
 * Unpacks weights of 4 bits. Addresses are in bytes.
 *
 * @param values the first row
 * @param toNext bytes from one of the four rows to the next; if 0, all four are the first
 * @param scales of the first block of each row, side by side
 * @param scaleBytes bytes of a scale
 * @param streams how many streams have their scales side by side (streams.ts)
 */
@inline
export function unpackRows4(
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  streams: usize,
  blocks: usize,
  out: usize,
): void {
  const low = lowHalves();
  for (const end = out + blocks * unpackedBytes(4); out < end; out += unpackedBytes(4), values += 16) {
    const third = values + 2 * toNext;
    v128.store(out, scalesOfFour(scales, scaleBytes, streams));
    scales += streams * scaleBytes;
    storeHalves(out + 16, values, low);
    storeHalves(out + 48, values + toNext, low);
    storeHalves(out + 80, third, low);
    storeHalves(out + 112, third + toNext, low);
  }
}

/** Likewise, for weights of 8 bits. */
@inline
export function unpackRows8(
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  streams: usize,
  blocks: usize,
  out: usize,
): void {
  for (const end = out + blocks * unpackedBytes(8); out < end; out += unpackedBytes(8), values += 32) {
    const third = values + 2 * toNext;
    v128.store(out, scalesOfFour(scales, scaleBytes, streams));
    scales += streams * scaleBytes;
    storeWide(out + 16, values);
    storeWide(out + 80, values + toNext);
    storeWide(out + 144, third);
    storeWide(out + 208, third + toNext);
  }
}

@inline
function storeHalves(out: usize, values: usize, low: v128): void {
  const weights = v128.load(values);
  v128.store(out, v128.and(weights, low));
  v128.store(out, v128.and(i16x8.shr_u(weights, 4), low), 16);
}

@inline
function storeWide(out: usize, values: usize): void {
  v128.store(out, v128.load_ext<u8>(values));
  v128.store(out, v128.load_ext<u8>(values, 8), 16);
  v128.store(out, v128.load_ext<u8>(values, 16), 32);
  v128.store(out, v128.load_ext<u8>(values, 24), 48);
}
