import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Value } from "@ringrank/model";
import { bytesOf, type WeightShard } from "@ringrank/model/weights";
import { buildPrograms, planGraph, type Segment } from "@ringrank/policy";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { type Attributes, microsoft, TestGraph } from "../../../../test/support/test-graph.js";
import { RowFiles } from "../loading/row-files.js";
import { openPublicSession } from "../sessions/public-session.js";
import { integers } from "../tensors/element-types.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { rowsInMemory, type WeightRows } from "../tensors/weight-rows.js";
import { Interpreter } from "./interpreter.js";
import { mostCopied } from "./operators.js";

type Work = (g: TestGraph, ids: Value, here: Value) => Value;

const rows = 10;

/** `[rows, bytes]` with `blocks` scales per row, and as many bytes of zero points as are given. */
const quantized =
  (bytes: number, blocks: number, zeroBytes: number, attributes: Attributes): Work =>
  (g, ids) => {
    const [table, scales] = [g.quantized("uint8", [rows, bytes]), g.scales([rows, blocks], 0.02)];
    const zeros = zeroBytes === 0 ? [] : [g.quantized("uint8", [rows, zeroBytes])];
    const inputs = [table, ids, scales, ...zeros];
    return g.apply(`GatherBlockQuantized@${microsoft}`, inputs, { quantize_axis: 1, ...attributes });
  };

const plain: Work = (g, ids) => g.gather(g.parameter([rows, 16]), ids, 0);

const works: Record<string, Work> = {
  "rows of floats": plain,
  "single floats": (g, ids) => g.gather(g.parameter([rows]), ids, 0),
  "matrices of floats": (g, ids) => g.gather(g.parameter([rows, 2, 3]), ids, 0),
  "rows of 8 bits": quantized(64, 2, 0, { bits: 8, block_size: 32 }),
  "rows of 8 bits with zero points": quantized(64, 2, 2, { bits: 8, block_size: 32 }),
  "rows of 8 bits whose last block is partial": quantized(40, 2, 0, { bits: 8, block_size: 32 }),
  "rows of 4 bits": quantized(32, 2, 0, { bits: 4, block_size: 32 }),
  "rows of 4 bits with zero points": quantized(32, 4, 2, { bits: 4, block_size: 16 }),
  "rows of 4 bits whose last block is partial, with zero points": quantized(20, 3, 2, {
    bits: 4,
    block_size: 16,
  }),
  "rows of 2 bits with zero points": quantized(16, 4, 1, { bits: 2, block_size: 16 }),
  "zeros for rows that a rank lacks": (g, ids, here) =>
    g.where(g.unsqueeze(here, [-1]), plain(g, ids, here), g.numbers([0])),
  "scaled rows": (g, ids, here) => g.mul(plain(g, ids, here), g.numbers([Math.sqrt(16)])),
  "rows of a token and its position": (g, ids, here) =>
    g.add(plain(g, ids, here), g.gather(g.parameter([rows, 16]), g.sub(g.integer(9), ids), 0)),
};

describe.each(Object.entries(works))("%s", (_, work) => {
  const made = lookup(work);

  it.each(["memory", "files"] as const)("have the bits of ONNX Runtime when read from %s", async (place) => {
    const run = interpreterOf(made, rowsIn(place, made));
    for (const ids of [[0], [9], [3, 3, 7, 0, 9]]) {
      const given = inputs(ids);
      expect(run(given)).toEqual(await byRuntime(made, given));
    }
  });
});

it.each(["rows of floats", "rows of 8 bits"])("%s are counted from the end by negative ids", async (name) => {
  const made = lookup(works[name]!);
  const given = inputs([-1, -rows]);
  expect(interpreterOf(made, rowsIn("memory", made))(given)).toEqual(await byRuntime(made, given));
});

describe.each(["rows of floats", "rows of 8 bits"])("of %s, a session", (name) => {
  const made = lookup(works[name]!);

  it.each([rows, -rows - 1])("reports that there is no row %i", async (id) => {
    expect(interpreterOf(made, rowsIn("files", made))(inputs([0, id]))).toBeUndefined();
    await expect(byRuntime(made, inputs([0, id]))).rejects.toThrow("out of data bounds");
  });

  it("looks up many", () => {
    const run = interpreterOf(made, rowsIn("files", made));
    expect(run(inputs(new Array(mostCopied).fill(0)))).toBeUndefined();
  });
});

interface Made {
  readonly segment: Segment;
  readonly weights: Readonly<Record<string, WeightShard>>;
  /** By name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The segment of a graph with only this work. */
function lookup(work: Work): Made {
  const g = new TestGraph();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  const here = g.input("here", "bool", ["batch", "sequence"]);
  g.output("made", work(g, ids, here), "float32", []);
  const graph = g.build();
  const [{ segments, weights } = expect.fail()] = buildPrograms(graph, planGraph(graph, { ranks: 1 }));
  expect(segments).toHaveLength(1);
  const tensors = Object.entries(weights).map(([name, { weight, dims }]): [string, Tensor] => [
    name,
    tensor(weight.type, g.contents.get(name)!, dims),
  ]);
  return { segment: segments[0]!, weights, tensors: new Map(tensors) };
}

/** The segment's weights, where a rank would have them. */
function rowsIn(place: "memory" | "files", { segment, weights, tensors }: Made) {
  if (place === "memory") return (name: string) => rowsInMemory(tensors.get(name)!);
  const folder = join(temporaryDirectory(), "segment");
  mkdirSync(folder);
  for (const [at, [name]] of segment.initializers.entries())
    writeFileSync(join(folder, String(at)), bytesOf(tensors.get(name!)!.data as Float32Array));
  const files = new RowFiles();
  onTestFinished(() => files[Symbol.dispose]());
  files.open(segment, { folder }, (name) => weights[name]!);
  return (name: string) => files.of(name)!;
}

/** Undefined if it is left to a session. */
function interpreterOf({ segment }: Made, rowsOf: (name: string) => WeightRows) {
  const at = segment.inputs.length;
  const interpreter = new Interpreter(
    segment.interpretable!,
    [...segment.inputs.keys()],
    [{ index: at, isReturned: false }],
    rowsOf,
  );
  return (given: Record<string, Tensor>): Tensor | undefined => {
    const table = [...segment.inputs.map((name) => given[name]), undefined];
    expect(interpreter.run(table)).toBe(table[at] !== undefined);
    return table[at];
  };
}

/** One sequence of ids, of which every third is another rank's. */
function inputs(ids: readonly number[]): Record<string, Tensor> {
  const dims = [1, ids.length];
  const here = Uint8Array.from(ids, (_, at) => (at % 3 === 2 ? 0 : 1));
  return { ids: tensor("int64", integers("int64", ids), dims), here: tensor("bool", here, dims) };
}

async function byRuntime({ segment, tensors }: Made, given: Record<string, Tensor>): Promise<Tensor> {
  const externalData = segment.initializers.map(([name], at) => ({
    path: String(at),
    data: bytesOf(tensors.get(name!)!.data as Float32Array),
  }));
  const session = await openPublicSession(segment.onnx, { logSeverityLevel: 4, externalData });
  onTestFinished(() => session.release());
  const feeds = Object.fromEntries(segment.inputs.map((name) => [name, given[name]!]));
  const [output] = segment.outputs;
  const { data, dims } = (await session.run(feeds, { [output!]: null }))[output!]!;
  return tensor("float32", data as Float32Array, dims);
}
