import { decodeOnnx, type Graph, GraphBuilder, type Value, type Weight } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { attentionGraph } from "../../testing/attention-graph.js";
import { parameter } from "../../testing/graphs.js";
import type { ProductStep, RankProgram, Step } from "../program.js";
import type { ProductKind } from "./matrix-product.js";

const width = 64;
const inner = 96;

interface Options {
  readonly ranks?: number;
  readonly precision?: "int8" | "int4" | "float32";
  readonly activations?: "float32";
  readonly products?: readonly ProductKind[];
}

/** Programs with separate quantized products, in int4 and on two ranks, unless options say otherwise. */
function programsOf(graph: Graph, options: Options = {}): RankProgram[] {
  const { ranks = 2, precision = "int4", activations, products = ["quantized"] } = options;
  return buildPrograms(graph, planGraph(graph, { ranks, precision, activations }), { products });
}

const stepsOf = ({ entries }: RankProgram, entry = "forward"): readonly Step[] => entries[entry]!.steps;
const kindsOf = (program: RankProgram, entry?: string): string[] =>
  stepsOf(program, entry).map(({ kind }) => kind);
const productsOf = (program: RankProgram, entry?: string): ProductStep[] =>
  stepsOf(program, entry).filter((step) => step.kind === "product");
const operatorsOf = ({ segments }: RankProgram): string[][] =>
  segments.map(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));

describe("separate products with quantized weights", () => {
  it("leave only the gate of gated feed-forwards, in one segment for all of them", () => {
    const graph = graphOf((g, x) => gated(g, normed(g, gated(g, x, "a"), "norm"), "b"));
    for (const program of programsOf(graph)) {
      const feedForward = ["product", "run", "product", "allReduce"];
      expect(kindsOf(program)).toEqual([...feedForward, "normalize", ...feedForward]);
      expect(operatorsOf(program)).toEqual([["MatMulInteger"], ["MatMulInteger"], ["Sigmoid", "Mul"]]);
      expect(program.segments.flatMap(({ initializers }) => initializers)).toEqual([]);
    }
  });

  it("leave only the attention of attention over a cache, and pass queries, keys and values to it side by side", () => {
    for (const program of programsOf(attentionGraph(undefined, 1, 32))) {
      // The first segment computes the lengths of the cache and of the new rows, by which attention splits its weights.
      expect(kindsOf(program)).toEqual(["run", "product", "run", "product", "allReduce", "run"]);
      const [run, projections, attention] = stepsOf(program);
      const outputs = projections?.kind === "product" ? projections.outputs : [];
      expect(outputs).toEqual([
        {
          name: expect.stringContaining("|"),
          matrices: [
            { rows: 64, values: "q·int4", scales: "q·int4·scales" },
            { rows: 32, values: "k·int4", scales: "k·int4·scales" },
            { rows: 32, values: "v·int4", scales: "v·int4·scales" },
          ],
        },
      ]);
      expect(attention).toMatchObject({ attention: { query: { value: outputs[0]!.name, rowWidth: 128 } } });
      expect(run).toMatchObject({ kind: "run" });
    }
  });

  it("share two segments for many rows, whatever their sizes", () => {
    const graph = graphOf((g, x) => gated(g, gated(g, x, "a", inner), "b", 2 * inner));
    const [program] = programsOf(graph);
    const products = productsOf(program!);
    expect(products.map(({ segments }) => segments)).toEqual(Array(4).fill({ int8: 0, uint8: 1 }));
    for (const [index, zeros] of [["zero"], ["zero", "zero"]].entries()) {
      const { onnx, inputs, outputs } = program!.segments[index]!;
      expect(decodeOnnx(onnx).nodes).toMatchObject([
        { opType: "MatMulInteger", inputs: [...inputs, ...zeros], outputs },
      ]);
    }
  });

  it.each([
    ["int4", 4, 16],
    ["int8", 8, 32],
  ] as const)("in %s read %i bits, %i bytes per block", (precision, bits, bytes) => {
    const [program] = programsOf(
      graphOf((g, x) => project(g, x, "w", 40)),
      { ranks: 1, precision },
    );
    const matrix = { rows: 40, values: `w·${precision}`, scales: `w·${precision}·scales` };
    expect(productsOf(program!)).toMatchObject([
      { value: "x", width, bits, outputs: [{ matrices: [matrix] }] },
    ]);
    expect(program!.weights[matrix.values]!.dims).toEqual([40, width / 32, bytes]);
    expect(program!.weights[matrix.scales]!.dims).toEqual([40, width / 32]);
  });

  it("give their width if it ends within a block", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", 40]);
    g.output("y", g.matmulTransposed(x, g.weight("w", parameter(8, 40))), "float32", ["rows", 8]);
    const [program] = programsOf(g.build(), { ranks: 1 });
    expect(productsOf(program!)).toMatchObject([{ width: 40 }]);
    expect(program!.weights.w·int4·scales!.dims).toEqual([8, 2]);
  });
});

describe("the results of products of one value", () => {
  it("are one step, even if some are read later than others", () => {
    const graph = graphOf((g, x) => {
      const [a, b] = [project(g, x, "a", width), project(g, x, "b", width)];
      return g.mul(project(g, g.relu(a), "c", width), b);
    });
    const [program] = programsOf(graph, { ranks: 1 });
    expect(kindsOf(program!)).toEqual(["product", "run", "product", "run"]);
    expect(productsOf(program!)[0]!.outputs.map(({ matrices }) => matrices.length)).toEqual([1, 1]);
  });

  it("are one output if they are only concatenated, in the order of the Concat", () => {
    const graph = graphOf((g, x) => {
      const [a, b, c] = ["a", "b", "c"].map((name) => project(g, x, name, width));
      return g.mul(g.relu(g.concat([c!, a!], 2)), g.concat([b!, b!], 2));
    });
    const [program] = programsOf(graph, { ranks: 1 });
    const made = productsOf(program!)[0]!.outputs.map(({ matrices }) => matrices.map(({ values }) => values));
    expect(made).toEqual([["c·int4", "a·int4"], ["b·int4"]]);
    expect(operatorsOf(program!)).toEqual([["MatMulInteger"], ["MatMulInteger"], ["Relu", "Concat", "Mul"]]);
  });

  it.each<[string, (g: GraphBuilder, parts: Value[]) => Value]>([
    ["along another axis", (g, parts) => g.concat(parts, 1)],
    ["and also read separately", (g, parts) => g.concat([g.concat(parts, 2), parts[0]!], 2)],
    ["with something that is not a product", (g, parts) => g.concat([...parts, g.relu(parts[0]!)], 2)],
  ])("are separate outputs if they are concatenated %s", (_, concat) => {
    const graph = graphOf((g, x) =>
      concat(
        g,
        ["a", "b"].map((name) => project(g, x, name, width)),
      ),
    );
    const [program] = programsOf(graph, { ranks: 1 });
    expect(productsOf(program!)[0]!.outputs).toHaveLength(2);
    expect(operatorsOf(program!)[2]).toContain("Concat");
  });
});

describe("a value that is reshaped to a matrix for its product", () => {
  const asMatrix = (g: GraphBuilder, x: Value, back: (product: Value) => Value): Value =>
    back(g.add(project(g, g.reshape(x, [-1, width]), "w"), g.weight("bias", parameter(inner))));

  it("keeps its own shape if the result is reshaped back", () => {
    const graph = graphOf((g, x) => {
      const lengths = g.concat([g.shape(x, 0, 2), g.integers([inner])], 0);
      return g.relu(asMatrix(g, g.relu(x), (product) => g.reshapeBy(product, lengths)));
    });
    for (const program of programsOf(graph)) {
      expect(kindsOf(program)).toEqual(["run", "product", "run"]);
      const [first, product] = stepsOf(program);
      expect(product).toMatchObject({ value: first?.kind === "run" ? first.values!.outputs[0] : "" });
      expect(productsOf(program)[0]!.outputs[0]!.matrices).toMatchObject([{ bias: "bias" }]);
      expect(operatorsOf(program)).toEqual([["Relu"], ["MatMulInteger"], ["MatMulInteger"], ["Relu"]]);
    }
  });

  it("is read as the matrix if ranks owe a sum of it, which the matrix carries", () => {
    const graph = graphOf((g, x) => {
      const lengths = g.concat([g.shape(x, 0, 2), g.integers([inner])], 0);
      const sum = project(g, g.relu(project(g, x, "up")), "down", width, inner);
      return g.relu(asMatrix(g, sum, (product) => g.reshapeBy(product, lengths)));
    });
    for (const program of programsOf(graph)) {
      const sums = stepsOf(program).flatMap((step) => (step.kind === "allReduce" ? step.value : []));
      expect(sums).toHaveLength(1);
      expect(productsOf(program).at(-1)).toMatchObject({ value: sums[0] });
    }
  });

  it.each<[string, (g: GraphBuilder, product: Value) => Value]>([
    ["and is not reshaped back", (g, product) => g.relu(product)],
    ["and then gets other rows", (g, product) => g.reshape(product, [1, -1, inner])],
    [
      "that is also read by something else",
      (g, product) => g.mul(g.reshape(product, [1, -1, inner]), product),
    ],
  ])("%s stays a matrix for the step", (_, back) => {
    const graph = graphOf((g, x) => asMatrix(g, g.relu(x), (product) => back(g, product)));
    const [program] = programsOf(graph, { ranks: 1 });
    expect(operatorsOf(program!)[0]).toEqual(["Relu", "Reshape"]);
  });
});

describe("a row that is added to a product", () => {
  it("is its bias", () => {
    const graph = graphOf((g, x) => g.gelu(biased(g, x, "up"), "none"));
    for (const program of programsOf(graph)) {
      expect(kindsOf(program).slice(0, 2)).toEqual(["product", "run"]);
      expect(productsOf(program)[0]!.outputs[0]!.matrices).toEqual([
        { rows: inner / 2, values: "up·int4", scales: "up·int4·scales", bias: "up.bias" },
      ]);
      expect(program.weights["up.bias"]!.dims).toEqual([inner / 2]);
      expect(operatorsOf(program)).toEqual([["MatMulInteger"], ["MatMulInteger"], ["Gelu"]]);
    }
  });

  it("is added to the sum over ranks if each has a part of the product", () => {
    const graph = graphOf((g, x) => {
      const down = project(g, g.relu(project(g, x, "up")), "down", width, inner);
      return g.relu(g.add(down, g.weight("down.bias", parameter(width))));
    });
    for (const program of programsOf(graph)) {
      expect(productsOf(program).at(-1)!.outputs[0]!.matrices[0]).not.toHaveProperty("bias");
      expect(stepsOf(program)).toContainEqual(
        expect.objectContaining({ kind: "allReduce", added: { rows: ["down.bias"] } }),
      );
    }
  });

  it.each<[string, (g: GraphBuilder, product: Value) => Value]>([
    ["that is also read by others", (g, y) => g.mul(g.add(y, g.weight("b", parameter(inner))), y)],
    ["that is a single number", (g, y) => g.add(y, g.weight("b", parameter(1)))],
    ["that is computed", (g, y) => g.add(y, g.relu(g.weight("b", parameter(inner))))],
  ])("%s stays in its segment", (_, add) => {
    const [program] = programsOf(
      graphOf((g, x) => add(g, project(g, x, "up"))),
      { ranks: 1 },
    );
    expect(productsOf(program!)[0]!.outputs[0]!.matrices[0]).not.toHaveProperty("bias");
    expect(operatorsOf(program!)[2]).toContain("Add");
  });
});

describe("a normalization whose result a separate product reads", () => {
  const residual = (g: GraphBuilder, x: Value, name: string): Value =>
    g.add(x, gated(g, normed(g, x, `${name}.norm`), name));

  it("is a step, and adds to the preceding product what is added to it", () => {
    const graph = graphOf((g, x) => g.relu(residual(g, residual(g, residual(g, x, "a"), "b"), "c")));
    const [program] = programsOf(graph, { ranks: 1 });
    const layer = ["normalize", "product", "run", "product"];
    expect(kindsOf(program!)).toEqual([...layer, ...layer, ...layer, "run"]);
    const steps = stepsOf(program!);
    const norms = steps.filter((step) => step.kind === "normalize");
    expect(norms.map(({ scale }) => scale)).toEqual(["a.norm", "b.norm", "c.norm"]);
    expect(norms.map(({ added }) => added)).toEqual([
      undefined,
      { rows: [], value: "x" },
      { rows: [], value: norms[1]!.value },
    ]);
    expect(productsOf(program!)[1]!.outputs).toMatchObject([{ name: norms[1]!.value }]);
    expect(program!.segments.flatMap(({ initializers }) => initializers)).toEqual([]);
  });

  it("reads the sum from a segment if something else there reads it", () => {
    const graph = graphOf((g, x) => {
      const sum = g.add(x, gated(g, x, "a"));
      return g.mul(g.relu(sum), gated(g, normed(g, sum, "norm"), "b"));
    });
    const [program] = programsOf(graph, { ranks: 1 });
    const norm = stepsOf(program!).find((step) => step.kind === "normalize");
    expect(norm).not.toHaveProperty("added");
    expect(operatorsOf(program!)).toContainEqual(["Add", "Relu"]);
  });

  it("stays in its segment if only a segment reads it", () => {
    const graph = graphOf((g, x) => g.relu(normed(g, gated(g, x, "a"), "norm")));
    const [program] = programsOf(graph, { ranks: 1 });
    expect(kindsOf(program!)).not.toContain("normalize");
  });
});

describe("a rank without a part in a product", () => {
  it("owes zeros in its place, and takes part in the same collectives", () => {
    const graph = graphOf((g, x) => g.relu(normed(g, headed(g, x), "norm")));
    const programs = programsOf(graph, { ranks: 4 });
    const kinds = programs.map((program) => kindsOf(program));
    const rest = ["allReduce", "normalize", "run"];
    expect(kinds.slice(0, 3)).toEqual(Array(3).fill(["product", "run", "product", ...rest]));
    expect(kinds[3]).toEqual(["zeros", ...rest]);
    expect(operatorsOf(programs[3]!)).toEqual([["Relu"]]);
  });
});

describe("entries that share products", () => {
  it("keep the weights once, even if a segment also reads them", () => {
    const g = new GraphBuilder();
    for (const name of ["first", "second"]) {
      g.entry(name, () => {
        const x = g.input(`${name}.x`, "float32", ["batch", "rows", width]);
        const product = g.relu(biased(g, x, "shared"));
        const y = name === "first" ? product : g.add(product, g.weight("shared.bias", parameter(inner)));
        g.output(`${name}.y`, y, "float32", ["batch", "rows", inner]);
      });
    }
    const [program] = programsOf(g.build(), { ranks: 1 });
    const matrices = ["first", "second"].map((entry) => productsOf(program!, entry)[0]!.outputs[0]!.matrices);
    expect(matrices[0]).toEqual(matrices[1]);
    expect(Object.keys(program!.weights)).toHaveLength(3);
    expect(program!.segments.flatMap(({ initializers }) => initializers)).toEqual([]);
    expect(program!.segments.flatMap(({ sharedWeights }) => sharedWeights)).toEqual(["shared.bias"]);
  });
});

describe("the rows that caches keep", () => {
  it("exist after the last attention, whatever is multiplied afterwards", () => {
    for (const program of programsOf(attentionGraph(undefined, 2, 32))) {
      const { steps, cacheSteps } = program.entries.forward!;
      const last = steps.findLastIndex((step) => step.kind === "run" && step.attention !== undefined);
      expect(steps.slice(0, cacheSteps).map(({ kind }) => kind)).toEqual(kindsOf(program).slice(0, last + 1));
    }
  });
});

describe("an output that later steps read", () => {
  it("exists before those steps, and the program says after how many", () => {
    const graph = graphOf((g, x) => {
      const hidden = normed(g, gated(g, x, "layer"), "norm");
      g.output("hidden", hidden, "float32", ["batch", "rows", width]);
      return gated(g, hidden, "head");
    });
    for (const program of programsOf(graph)) {
      const { steps, outputSteps } = program.entries.forward!;
      const layer = ["product", "run", "product", "allReduce", "run"];
      expect(steps.slice(0, outputSteps?.hidden).map(({ kind }) => kind)).toEqual(layer);
      expect(kindsOf(program)).toEqual([...layer, "product", "run", "product", "allReduce"]);
      // The output that the last step completes needs all of them.
      expect(Object.keys(outputSteps!)).toEqual(["hidden"]);
    }
  });
});

describe("an output that is normalized later", () => {
  it("exists after the norm that adds the last addend to it", () => {
    const graph = graphOf((g, x) => {
      const sum = g.add(x, gated(g, x, "layer"));
      g.output("sum", sum, "float32", ["batch", "rows", width]);
      return gated(g, normed(g, sum, "norm"), "head");
    });
    const { steps, outputSteps } = programsOf(graph, { ranks: 1 })[0]!.entries.forward!;
    expect(steps[outputSteps!.sum! - 1]).toMatchObject({ kind: "normalize", value: "sum", added: {} });
  });
});

describe("separate products by float32 matrices", () => {
  const options = { precision: "float32", products: ["float32"] } as const;

  it("are steps with the matrix as stored, and one segment for many rows", () => {
    const graph = graphOf((g, x) => gated(g, normed(g, gated(g, x, "a"), "norm"), "b"));
    for (const program of programsOf(graph, options)) {
      const feedForward = ["product", "run", "product", "allReduce"];
      expect(kindsOf(program)).toEqual([...feedForward, "normalize", ...feedForward]);
      expect(operatorsOf(program)).toEqual([["Gemm"], ["Sigmoid", "Mul"]]);
      const [first] = productsOf(program);
      expect(first).toMatchObject({ width, bits: 32, segments: { float32: 0 } });
      expect(first!.outputs.flatMap(({ matrices }) => matrices)).toEqual([
        { rows: inner / 2, values: "a.gate" },
        { rows: inner / 2, values: "a.up" },
      ]);
    }
  });

  it("can have a bias that is added afterwards, or by the product itself", () => {
    const graph = graphOf((g, x) => {
      const matrix = g.reshape(g.gelu(biased(g, x, "up"), "none"), [-1, inner]);
      const [w, b] = [g.weight("down", parameter(width, inner)), g.weight("bias", parameter(width))];
      return g.relu(g.node("Gemm", [matrix, w, b], { attributes: { transB: { kind: "int", value: 1 } } }));
    });
    const [program] = programsOf(graph, { ...options, ranks: 1 });
    const matrices = productsOf(program!).map(({ outputs }) => outputs[0]!.matrices[0]);
    expect(matrices).toEqual([
      { rows: inner, values: "up", bias: "up.bias" },
      { rows: width, values: "down", bias: "bias" },
    ]);
  });

  it("share a table of embeddings with the segment that looks up in it", () => {
    const g = new GraphBuilder();
    const table = g.weight("table", parameter(inner, width));
    const embedded = g.relu(g.gather(table, g.input("ids", "int64", ["batch", "rows"]), 0));
    g.output("y", g.relu(g.matmulTransposed(embedded, table)), "float32", ["batch", "rows", inner]);
    const [program] = programsOf(g.build(), { ...options, ranks: 1 });
    expect(productsOf(program!)[0]!.outputs[0]!.matrices).toEqual([{ rows: inner, values: "table" }]);
    expect(program!.segments.flatMap(({ sharedWeights }) => sharedWeights)).toEqual(["table"]);
    expect(Object.keys(program!.weights)).toEqual(["table"]);
  });

  it.each<[string, (g: GraphBuilder, x: Value) => Value]>([
    [
      "a matrix with a column per column of the result",
      (g, x) => g.matmul(x, g.weight("w", parameter(width, inner))),
    ],
    ["a computed matrix", (g, x) => g.matmulTransposed(x, g.relu(g.weight("w", parameter(inner, width))))],
    ["a matrix whose product is ranked", (g, x) => g.topK(project(g, x, "router"), 2)[0]],
    ["a stack of matrices", (g, x) => g.matmulTransposed(x, g.weight("w", parameter(1, inner, width)))],
    [
      "an additional factor",
      (g, x) => {
        const attributes = {
          transB: { kind: "int", value: 1 },
          alpha: { kind: "float", value: 0.5 },
        } as const;
        const w = g.weight("w", parameter(inner, width));
        return g.node("FusedMatMul", [x, w], { domain: "com.microsoft", attributes });
      },
    ],
  ])("do not multiply by %s", (_, multiply) => {
    const graph = graphOf((g, x) => g.relu(multiply(g, x)));
    const [program] = programsOf(graph, { ...options, ranks: 1 });
    expect(productsOf(program!)).toEqual([]);
  });
});

describe("products stay within segments", () => {
  const within = (graph: Graph, options?: Options): void => {
    for (const program of programsOf(graph, options)) expect(productsOf(program)).toEqual([]);
  };
  const one = graphOf((g, x) => g.relu(project(g, x, "w")));

  it("unless separate ones are requested", () => within(one, { products: [] }));
  it("if weights are float32", () => within(one, { precision: "float32" }));
  it("if activations are float32", () => within(one, { activations: "float32" }));
  it("if their result is ranked", () =>
    within(
      graphOf((g, x) => g.topK(project(g, x, "router"), 2)[0]),
      { ranks: 1 },
    ));

  it.each<[string, Partial<MatMulNBits>]>([
    ["with zero points", { zeroPoints: { type: "uint8", dims: [inner, 1] } }],
    ["in blocks of another size", { block: 64 }],
    ["of 2 bits", { bits: 2 }],
    ["whose accuracy level asks for float32", { accuracyLevel: 1 }],
    ["with scales in one dimension", { scales: [inner * 2] }],
    ["with reordered columns", { order: { type: "int32", dims: [width] } }],
    ["with computed values", { isComputed: true }],
  ])("%s", (_, options) => within(givenProduct(options), { precision: "float32" }));

  it("except those of a file that have the plain form", () => {
    const [program] = programsOf(givenProduct({}), { precision: "float32", ranks: 1 });
    expect(productsOf(program!)).toMatchObject([
      {
        bits: 4,
        outputs: [{ matrices: [{ rows: inner, values: "values", scales: "scales", bias: "bias" }] }],
      },
    ]);
  });
});

/** `relu(build(x))`, so that no product is an output; x is `[batch, rows, width]`. */
function graphOf(build: (g: GraphBuilder, x: Value) => Value): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "rows", width]);
  g.output("y", build(g, x), "float32", ["batch", "rows", "columns"]);
  return g.build();
}

/** `x` times the weight `name`, which has a row per column of the result. */
function project(g: GraphBuilder, x: Value, name: string, columns = inner, from = width): Value {
  return g.matmulTransposed(x, g.weight(name, parameter(columns, from)));
}

function biased(g: GraphBuilder, x: Value, name: string): Value {
  return g.add(project(g, x, name), g.weight(`${name}.bias`, parameter(inner)));
}

function normed(g: GraphBuilder, x: Value, name: string): Value {
  return g.rmsNormalization(x, g.weight(name, parameter(width)), 1e-6);
}

function gated(g: GraphBuilder, x: Value, name: string, columns = inner): Value {
  const [gate, up] = [project(g, x, `${name}.gate`, columns), project(g, x, `${name}.up`, columns)];
  return project(g, g.mul(g.sigmoid(gate), up), `${name}.down`, width, columns);
}

/** A product in three units that cannot be cut, each a block of the next product. */
function headed(g: GraphBuilder, x: Value): Value {
  const heads = g.softmax(g.reshape(project(g, x, "up"), [0, 0, 3, 32]));
  return project(g, g.reshape(heads, [0, 0, inner]), "down", width, inner);
}

interface MatMulNBits {
  readonly bits: number;
  readonly block: number;
  readonly accuracyLevel: number;
  readonly scales: readonly number[];
  readonly zeroPoints: Pick<Weight, "type" | "dims">;
  readonly order: Pick<Weight, "type" | "dims">;
  readonly isComputed: boolean;
}

/** A product as a file may contain it. */
function givenProduct(options: Partial<MatMulNBits>): Graph {
  const { bits = 4, block = 32, accuracyLevel = 4, zeroPoints, order, isComputed = false } = options;
  const { scales = [inner, width / block] } = options;
  return graphOf((g, x) => {
    const weight = (name: string, kept: Pick<Weight, "type" | "dims"> | undefined): Value | undefined =>
      kept && g.weight(name, { ...kept, source: { kind: "absent" } });
    const values = weight("values", { type: "uint8", dims: [inner, width / block, (block * bits) / 8] })!;
    const int = (value: number) => ({ kind: "int", value }) as const;
    return g.node(
      "MatMulNBits",
      [
        x,
        isComputed ? g.max(values, values) : values,
        weight("scales", { type: "float32", dims: scales }),
        weight("zeros", zeroPoints),
        weight("order", order),
        weight("bias", { type: "float32", dims: [inner] }),
      ],
      {
        domain: "com.microsoft",
        attributes: {
          K: int(width),
          N: int(inner),
          bits: int(bits),
          block_size: int(block),
          accuracy_level: int(accuracyLevel),
        },
      },
    );
  });
}
