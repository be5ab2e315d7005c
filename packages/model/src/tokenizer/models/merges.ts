/** The number of symbols in a piece is below this. Its product with the number of merges has at most 53 bits. */
const mostSymbols = 2 ** 27;
const mostMerges = 2 ** 26;
/** So that a key of two ids has at most 52 bits. */
const mostIds = 2 ** 26;
const none = -1;

/**
 * Which pairs of neighbouring tokens are replaced, by which token, and in which order: the first merge in the list that
 * applies, and the leftmost pair for it (`models/bpe/word.rs` of https://github.com/huggingface/tokenizers).
 */
export class Merges {
  /** Indices into the list, by {@link keyOf} of both ids. */
  readonly #places = new Map<number, number>();
  /** By index in the list: the id of the merged token. */
  readonly #results: Int32Array;
  /** One more than the greatest id. */
  readonly #idEnd: number;

  /**
   * @param list pairs of tokens, `[a, b]` or `"a b"`
   * @param prefix of tokens within a word; a merged token loses that of its right part
   * @throws Error if it is not a list, or a token is not in the vocabulary
   */
  constructor(list: unknown, ids: ReadonlyMap<string, number>, prefix: string) {
    if (!Array.isArray(list) || list.length > mostMerges) throw new Error('expected "model.merges" to be a list');
    const idOf = (token: string): number => {
      const id = ids.get(token);
      if (id !== undefined) return id;
      throw new Error(`"model.merges" has a token that the vocabulary lacks: ${JSON.stringify(token)}`);
    };
    let end = 0;
    for (const id of ids.values()) end = Math.max(end, id + 1);
    if (end > mostIds) throw new Error(`expected ids below ${mostIds} where there are merges, got ${end - 1}`);
    this.#idEnd = end;
    this.#results = new Int32Array(list.length);
    list.forEach((merge: unknown, place) => {
      const [left, right] = pairOf(merge);
      this.#results[place] = idOf(left + right.slice(prefix.length));
      this.#places.set(this.#keyOf(idOf(left), idOf(right)), place);
    });
  }

  /** @param symbols ids; modified */
  apply(symbols: number[]): number[] {
    if (symbols.length < 2) return symbols;
    const { length } = symbols;
    const previous = Int32Array.from(symbols, (_, at) => at - 1);
    const next = Int32Array.from(symbols, (_, at) => (at + 1 === length ? none : at + 1));
    const queue = new Queue();
    const offer = (left: number, right: number): void => {
      const place = this.#placeOf(symbols[left]!, symbols[right]!);
      if (place !== undefined) queue.push(place * mostSymbols + left);
    };
    for (let at = 1; at < length; at += 1) offer(at - 1, at);
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
      const left = entry % mostSymbols;
      const result = this.#results[(entry - left) / mostSymbols]!;
      const right = next[left]!;
      if (symbols[left] === none || right === none) continue;
      // A merge in between may have replaced one of the two.
      const place = this.#placeOf(symbols[left]!, symbols[right]!);
      if (place === undefined || this.#results[place] !== result) continue;
      symbols[left] = result;
      symbols[right] = none;
      const after = next[right]!;
      next[left] = after;
      if (previous[left] !== none) offer(previous[left]!, left);
      if (after !== none) {
        previous[after] = left;
        offer(left, after);
      }
    }
    return symbols.filter((symbol) => symbol !== none);
  }

  #placeOf(left: number, right: number): number | undefined {
    return this.#places.get(this.#keyOf(left, right));
  }

  #keyOf(left: number, right: number): number {
    return left * this.#idEnd + right;
  }
}

function pairOf(merge: unknown): readonly [string, string] {
  const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
  if (Array.isArray(pair) && pair.length === 2) {
    const [left, right] = pair as readonly unknown[];
    if (typeof left === "string" && typeof right === "string") return [left, right];
  }
  throw new Error(`expected a merge to be of two tokens, got ${JSON.stringify(merge)}`);
}

/** A priority queue of numbers, the smallest first: a binary heap. */
class Queue {
  readonly #heap: number[] = [];

  push(entry: number): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= entry) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  pop(): number | undefined {
    const heap = this.#heap;
    const least = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return least;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return least;
  }
}
