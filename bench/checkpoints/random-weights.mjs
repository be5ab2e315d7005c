/**
 * Weights like a model's initial ones: normal with standard deviation 0.02, so that activations stay finite at any
 * depth. bfloat16, as in checkpoints.
 *
 * A table of 65 536 quantiles of the normal distribution and xorshift32 give two elements per draw, some hundred
 * million per second. The same seed gives the same weights.
 */
const tableSize = 65536;
const deviation = 0.02;
const one = 0x3f80;

/** Indexed by 16 random bits. */
const normals = normalQuantiles();

export class RandomWeights {
  #state;

  constructor(seed = 1) {
    this.#state = seed | 0 || 1;
  }

  /** Fills `elements` with bfloat16 bits. Its length must be even, except in the last call. */
  fill(elements) {
    let x = this.#state;
    const pairs = elements.length >> 1;
    for (let i = 0; i < pairs; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      elements[2 * i] = normals[x & 0xffff];
      elements[2 * i + 1] = normals[x >>> 16];
    }
    if (elements.length % 2 === 1) elements[elements.length - 1] = normals[x & 0xffff];
    this.#state = x;
  }
}

/** Fills the weights of a norm. */
export function fillOnes(elements) {
  elements.fill(one);
}

/** Quantiles of the normal distribution at the midpoints of 65 536 equal intervals, as bfloat16. */
function normalQuantiles() {
  const table = new Uint16Array(tableSize);
  const bits = new Float32Array(1);
  const words = new Uint16Array(bits.buffer);
  for (let i = 0; i < tableSize; i++) {
    bits[0] = deviation * quantile((i + 0.5) / tableSize);
    table[i] = words[1];
  }
  return table;
}

/** The quantile of Tukey's lambda distribution, λ = 0.1349, which approximates the normal distribution. */
function quantile(p) {
  const lambda = 0.1349;
  return (p ** lambda - (1 - p) ** lambda) / 0.1975;
}
