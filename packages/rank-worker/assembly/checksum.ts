// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

/**
 * Adds bytes to four Fletcher checksums. Of the words of 32 bits, checksum l takes words l, l + 4, l + 8, …, and
 * consists of four sums:
 *
 *     a += word    b += a    c += b    d += c        all modulo 2⁶⁴
 *
 * @param sums `[a to d, checksum]`, u64
 * @param bytes a multiple of 16
 */
export function fletcher4(sums: usize, from: usize, bytes: usize): void {
  let a0 = v128.load(sums, 0);
  let a2 = v128.load(sums, 16);
  let b0 = v128.load(sums, 32);
  let b2 = v128.load(sums, 48);
  let c0 = v128.load(sums, 64);
  let c2 = v128.load(sums, 80);
  let d0 = v128.load(sums, 96);
  let d2 = v128.load(sums, 112);
  for (const end = from + bytes; from < end; from += 16) {
    const words = v128.load(from);
    a0 = i64x2.add(a0, i64x2.extend_low_i32x4_u(words));
    a2 = i64x2.add(a2, i64x2.extend_high_i32x4_u(words));
    b0 = i64x2.add(b0, a0);
    b2 = i64x2.add(b2, a2);
    c0 = i64x2.add(c0, b0);
    c2 = i64x2.add(c2, b2);
    d0 = i64x2.add(d0, c0);
    d2 = i64x2.add(d2, c2);
  }
  v128.store(sums, a0, 0);
  v128.store(sums, a2, 16);
  v128.store(sums, b0, 32);
  v128.store(sums, b2, 48);
  v128.store(sums, c0, 64);
  v128.store(sums, c2, 80);
  v128.store(sums, d0, 96);
  v128.store(sums, d2, 112);
}
