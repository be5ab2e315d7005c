import { type Graph, namesOf } from "@ringrank/model";

/**
 * Names for what a rewrite adds to a graph. `·` distinguishes them from any names that a graph is likely to have;
 * clashes are still avoided.
 */
export class FreshNames {
  readonly #isTaken: (name: string) => boolean;
  readonly #given = new Set<string>();
  #next = 0;

  /** Names that a graph does not have, nor any of its branches. */
  static notIn(graph: Graph): FreshNames {
    const taken = namesOf(graph);
    return new FreshNames((name) => taken.has(name));
  }

  /** @param isTaken whether the graph has a value or a weight of this name */
  constructor(isTaken: (name: string) => boolean) {
    this.#isTaken = isTaken;
  }

  /** A name derived from another: `x·scaled`, or `x·scaled·` if that exists. */
  after(wanted: string): string {
    let name = wanted;
    while (this.#isUsed(name)) name += "·";
    this.#given.add(name);
    return name;
  }

  /** The next of a kind: `part·0`, `part·1`, … */
  numbered(kind: string): string {
    for (;;) {
      const name = `${kind}·${this.#next++}`;
      if (this.#isUsed(name)) continue;
      this.#given.add(name);
      return name;
    }
  }

  #isUsed(name: string): boolean {
    return this.#given.has(name) || this.#isTaken(name);
  }
}
