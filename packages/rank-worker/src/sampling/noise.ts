/**
 * Gumbel noise as a function of seed, position and token id, without state. A rank only computes the noise of its own
 * ids, and together the ranks get the noise of an unsplit model (counter-based random numbers: Salmon et al., "Parallel
 * random numbers: as easy as 1, 2, 3", SC 2011). The largest `logit + noise` is a sample of the softmax (Gumbel 1954;
 * Maddison et al., "A* sampling", 2014).
 */
export class GumbelNoise {
  /** Signed 32-bit, as is the other one. A token's hash is made of these and its id. */
  readonly first: number;
  readonly second: number;

  /**
   * @param seed unsigned 32-bit
   * @param position the position of the chosen token in its own sequence
   */
  constructor(seed: number, position: number) {
    this.first = mix(mix((seed + 0x9e37_79b9) | 0) ^ position);
    this.second = mix((this.first + 0x85eb_ca6b) | 0);
  }

  /** −ln(−ln u), with u = (h + ½) / 2³² in (0, 1), h a hash of the counter. At most {@link maximumNoise}. */
  of(id: number): number {
    return -Math.log(-Math.log((this.#hash(id) + 0.5) / 2 ** 32));
  }

  /**
   * Whether the noise may be `height` or more, without computing a logarithm: if it is, 1 − u ≤ −ln u ≤ e^−height.
   * Hardly more than a fraction of e^−height of all ids pass.
   *
   * @param height from 0 to {@link maximumNoise}
   */
  mayReach(id: number, height: number): boolean {
    return 2 ** 32 - this.#hash(id) <= mostAbove[Math.floor(height)]!;
  }

  #hash(id: number): number {
    return mix((mix(id ^ this.first) + this.second) | 0) >>> 0;
  }
}

/** By integer height, to 22: an upper bound of 2³² · (1 − u) for noise that reaches it, including rounding. */
const mostAbove = Float64Array.from({ length: 23 }, (_, height) => 2 ** 32 * Math.exp(-height) + 1);

/** The largest possible noise: u = 1 − 2⁻³³. A logit that is further below the best cannot win. */
export const maximumNoise = -Math.log(-Math.log(1 - 2 ** -33));

/** A bijection of 32 bits that avalanches: lowbias32, https://nullprogram.com/blog/2018/07/31/. */
function mix(word: number): number {
  let x = word;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb_352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846c_a68b);
  return x ^ (x >>> 16);
}
