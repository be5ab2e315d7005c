import { appendTo } from "../append-to.js";

/** Values that sums flow through, by name. */
export interface Flow {
  /** Where sums come from. */
  readonly sources: ReadonlySet<string>;
  /** Where they are needed whole, at the latest. */
  readonly sinks: ReadonlySet<string>;
  /** By value: those that are computed from it while its sum is still owed. */
  readonly next: ReadonlyMap<string, readonly string[]>;
}

/**
 * The values of least total cost that lie on every path from a source to a sink: a minimum vertex cut (Ford and
 * Fulkerson, doi:10.4153/CJM-1956-045-5). Of several, the one that is furthest from the sources.
 *
 * Each connected part of the flow is cut by itself, since a model has one for each sublayer.
 *
 * @param costOf a positive whole number for each value, so that sums of costs are exact; or Infinity
 */
export function cheapestCut(flow: Flow, costOf: (value: string) => number): ReadonlySet<string> {
  const cut = new Set<string>();
  for (const part of connectedParts(flow))
    for (const value of new Network(part, flow, costOf).cut()) cut.add(value);
  return cut;
}

function connectedParts({ sources, sinks, next }: Flow): string[][] {
  const neighbours = new Map<string, string[]>([...sources, ...sinks].map((value) => [value, []]));
  for (const [value, others] of next) {
    for (const other of others) {
      appendTo(neighbours, value, other);
      appendTo(neighbours, other, value);
    }
  }
  const seen = new Set<string>();
  const parts: string[][] = [];
  for (const start of neighbours.keys()) {
    if (seen.has(start)) continue;
    seen.add(start);
    const part = [start];
    // Grows while it is walked.
    for (const value of part) {
      for (const other of neighbours.get(value)!) {
        if (seen.has(other)) continue;
        seen.add(other);
        part.push(other);
      }
    }
    parts.push(part);
  }
  return parts;
}

/** An edge of a network, and how much may still flow along it. */
interface Edge {
  readonly from: number;
  readonly to: number;
  room: number;
  /** The same edge backwards, along which flow can be taken back. */
  back: Edge;
}

/** A connected part of a flow. Each value is an edge of its cost, from where it comes in to where it goes on. */
class Network {
  readonly #values: readonly string[];
  readonly #edges: Edge[][];
  readonly #start: number;
  readonly #end: number;

  constructor(values: readonly string[], { sources, sinks, next }: Flow, costOf: (value: string) => number) {
    this.#values = values;
    this.#start = 2 * values.length;
    this.#end = this.#start + 1;
    this.#edges = Array.from({ length: this.#end + 1 }, () => []);
    const places = new Map(values.map((value, place) => [value, place]));
    for (const [place, value] of values.entries()) {
      this.#connect(2 * place, 2 * place + 1, costOf(value));
      if (sources.has(value)) this.#connect(this.#start, 2 * place, Number.POSITIVE_INFINITY);
      if (sinks.has(value)) this.#connect(2 * place + 1, this.#end, Number.POSITIVE_INFINITY);
      for (const other of next.get(value) ?? [])
        this.#connect(2 * place + 1, 2 * places.get(other)!, Number.POSITIVE_INFINITY);
    }
  }

  #connect(from: number, to: number, room: number): void {
    const edge = { from, to, room } as Edge;
    const back: Edge = { from: to, to: from, room: 0, back: edge };
    edge.back = back;
    this.#edges[from]!.push(edge);
    this.#edges[to]!.push(back);
  }

  cut(): string[] {
    for (let path = this.#path(); path !== undefined; path = this.#path()) {
      const room = Math.min(...path.map((edge) => edge.room));
      // No cut separates them.
      if (room === Number.POSITIVE_INFINITY) break;
      for (const edge of path) {
        edge.room -= room;
        edge.back.room += room;
      }
    }
    const reaches = this.#reachingEnd();
    return this.#values.filter((_, place) => !reaches.has(2 * place) && reaches.has(2 * place + 1));
  }

  /** The shortest path from start to end along which more may flow. */
  #path(): Edge[] | undefined {
    const arrived = new Map<number, Edge | undefined>([[this.#start, undefined]]);
    const pending = [this.#start];
    for (const place of pending) {
      for (const edge of this.#edges[place]!) {
        if (edge.room === 0 || arrived.has(edge.to)) continue;
        arrived.set(edge.to, edge);
        pending.push(edge.to);
      }
    }
    if (!arrived.has(this.#end)) return undefined;
    const path: Edge[] = [];
    for (let edge = arrived.get(this.#end); edge !== undefined; edge = arrived.get(edge.from))
      path.push(edge);
    return path;
  }

  /** Places from which more may flow to the end. */
  #reachingEnd(): ReadonlySet<number> {
    const reaching = new Set([this.#end]);
    // Grows while it is walked.
    for (const place of reaching)
      for (const edge of this.#edges[place]!) if (edge.back.room > 0) reaching.add(edge.to);
    return reaching;
  }
}
