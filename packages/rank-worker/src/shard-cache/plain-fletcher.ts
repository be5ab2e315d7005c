const lanes = 4;

/**
 * Computes `fletcher4` of assembly/checksum.ts, for systems that provide no memory for the kernel. It takes several
 * times as long.
 *
 * @param sums a, b, c and d in turn: each for the four lanes, the low half before the high one
 * @param words a multiple of 4
 */
export function plainFletcher4(sums: Int32Array, words: Int32Array): void {
  for (let lane = 0; lane < lanes; lane++) addLane(sums, words, lane);
}

/**
 * If a sum of low halves is less than either of them, unsigned, it has overflowed, and 1 is carried to the high half.
 */
function addLane(sums: Int32Array, words: Int32Array, lane: number): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((sum) => 2 * (lanes * sum + lane)) as [
    number,
    number,
    number,
    number,
  ];
  let [aLow, aHigh, bLow, bHigh] = [sums[a]!, sums[a + 1]!, sums[b]!, sums[b + 1]!];
  let [cLow, cHigh, dLow, dHigh] = [sums[c]!, sums[c + 1]!, sums[d]!, sums[d + 1]!];
  for (let at = lane; at < words.length; at += lanes) {
    const word = words[at]!;
    aLow = (aLow + word) | 0;
    if (aLow >>> 0 < word >>> 0) aHigh = (aHigh + 1) | 0;
    bLow = (bLow + aLow) | 0;
    bHigh = (bHigh + aHigh + (bLow >>> 0 < aLow >>> 0 ? 1 : 0)) | 0;
    cLow = (cLow + bLow) | 0;
    cHigh = (cHigh + bHigh + (cLow >>> 0 < bLow >>> 0 ? 1 : 0)) | 0;
    dLow = (dLow + cLow) | 0;
    dHigh = (dHigh + cHigh + (dLow >>> 0 < cLow >>> 0 ? 1 : 0)) | 0;
  }
  sums.set([aLow, aHigh], a);
  sums.set([bLow, bHigh], b);
  sums.set([cLow, cHigh], c);
  sums.set([dLow, dHigh], d);
}
