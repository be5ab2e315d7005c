/**
 * Weights as a model is initialised with: normal, of standard deviation 0.02, so that activations stay finite at any
 * depth. bfloat16, as checkpoints are.
 *
 * A table of 65 536 quantiles of the normal distribution and xorshift32 give two elements a draw, some hundred
 * million a second; the same seed gives the same weights.
 */
const tableSize = 65536;
const deviation = 0.02;
const one = 0x3f80;

/** By 16 random bits. */
const normals = normalQuantiles();

export class RandomWeights {
  #state;

  constructor(seed = 1) {
    this.#state = seed | 0 || 1;
  }

  /** Fills `elements`, bfloat16 bits. Its length must be even but for the last call. */
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

/** The weights of a norm. */
export function fillOnes(elements) {
  elements.fill(one);
}

/** Quantiles of the normal distribution at the middles of 65 536 equal parts, as bfloat16. */
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

/** Of the logistic distribution of the same variance where it is close enough: Tukey's lambda, λ = 0.1349. */
function quantile(p) {
  const lambda = 0.1349;
  return (p ** lambda - (1 - p) ** lambda) / 0.1975;
}
