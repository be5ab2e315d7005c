/** Of a node without an edge that is looked for. */
const none = -1;

/**
 * Texts, found by their beginnings, UTF-16 unit by unit. A quarter of a million texts are a million nodes, so their
 * edges are one hash table: from a node and a unit to a node, in 16 bytes.
 */
export class Trie {
  /** Of edge slots: `node · 2¹⁶ + unit`, or none. Half of them at least are free. */
  #edges = new Float64Array(1024).fill(none);
  #targets = new Int32Array(1024);
  /** By node: the text's value, or none. */
  readonly #values: number[] = [none];

  /** @param value 0 or more; of a text that is added again, the last counts */
  add(text: string, value: number): void {
    let node = 0;
    for (let at = 0; at < text.length; at += 1) {
      const edge = node * 0x1_0000 + text.charCodeAt(at);
      let slot = this.#slotOf(edge);
      if (this.#edges[slot] === none) {
        if (2 * this.#values.length >= this.#edges.length) {
          this.#grow();
          slot = this.#slotOf(edge);
        }
        this.#edges[slot] = edge;
        this.#targets[slot] = this.#values.push(none) - 1;
      }
      node = this.#targets[slot]!;
    }
    this.#values[node] = value;
  }

  /** Calls `found` with the value and the end of each entry that occurs in `text` at `start`, shortest first. */
  search(text: string, start: number, found: (value: number, end: number) => void): void {
    let node = 0;
    for (let at = start; at < text.length; at += 1) {
      const slot = this.#slotOf(node * 0x1_0000 + text.charCodeAt(at));
      if (this.#edges[slot] === none) return;
      node = this.#targets[slot]!;
      const value = this.#values[node]!;
      if (value !== none) found(value, at + 1);
    }
  }

  /** Where an edge is, or would be. */
  #slotOf(edge: number): number {
    const mask = this.#edges.length - 1;
    const low = edge % 0x1_0000_0000;
    let slot = (Math.imul(low ^ (edge / 0x1_0000_0000), 0x9e37_79b1) >>> 8) & mask;
    while (this.#edges[slot] !== none && this.#edges[slot] !== edge) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [edges, targets] = [this.#edges, this.#targets];
    this.#edges = new Float64Array(2 * edges.length).fill(none);
    this.#targets = new Int32Array(2 * edges.length);
    edges.forEach((edge, at) => {
      if (edge === none) return;
      const slot = this.#slotOf(edge);
      this.#edges[slot] = edge;
      this.#targets[slot] = targets[at]!;
    });
  }
}
