import { type Graph, type GraphNode, readsOf } from "@ringrank/model";
import { appendTo } from "../append-to.js";

/** The producers and readers of the values of a graph. */
export class Wiring {
  readonly #nodes: readonly GraphNode[];
  readonly #producers = new Map<string, number>();
  readonly #readers = new Map<string, number[]>();
  readonly #outputs: ReadonlySet<string>;

  /** @param outputs names of values that are also read from outside */
  constructor(nodes: readonly GraphNode[], outputs: Iterable<string>) {
    this.#nodes = nodes;
    this.#outputs = new Set(outputs);
    for (const [index, node] of nodes.entries()) {
      for (const name of node.outputs) this.#producers.set(name, index);
      // Values that branches read have no slot.
      const captured = [...readsOf(node)].filter((name) => !node.inputs.includes(name));
      for (const name of [...node.inputs, ...captured]) appendTo(this.#readers, name, index);
    }
  }

  static of({ nodes, outputs }: Graph): Wiring {
    return new Wiring(
      nodes,
      outputs.map(({ name }) => name),
    );
  }

  node(index: number): GraphNode {
    return this.#nodes[index]!;
  }

  /** Index of the node that computes `name`; undefined for an input or a weight. */
  producer(name: string): number | undefined {
    return this.#producers.get(name);
  }

  /** Nodes that read `name`, once for each time they do. */
  readers(name: string): GraphNode[] {
    return (this.#readers.get(name) ?? []).map((index) => this.node(index));
  }

  /** Index of the first node that reads `name`; undefined if there is none. */
  firstReader(name: string): number | undefined {
    return this.#readers.get(name)?.[0];
  }

  /** Index of the only node that reads `name`; undefined if there are more, or if it is an output. */
  soleReader(name: string): number | undefined {
    const readers = this.#readers.get(name) ?? [];
    return readers.length === 1 && !this.#outputs.has(name) ? readers[0] : undefined;
  }

  /** That node. */
  soleReadingNode(name: string): GraphNode | undefined {
    const index = this.soleReader(name);
    return index === undefined ? undefined : this.node(index);
  }

  /** Whether only `body` reads the results of `body`, except those in `open`. */
  isClosed(body: ReadonlySet<number>, open: readonly string[]): boolean {
    return [...body].every((index) =>
      this.node(index).outputs.every((name) => {
        if (open.includes(name)) return true;
        return (
          !this.#outputs.has(name) && (this.#readers.get(name) ?? []).every((reader) => body.has(reader))
        );
      }),
    );
  }
}
