import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { type Attributes, TestGraph } from "../support/test-graph.js";

const [width, experts, inner] = [6, 3, 10];

/** Adds to `x [batch, sequence, width]` the output of experts, chosen by a separate router. */
function throughExperts(
  g: TestGraph,
  operator: "MoE" | "QMoE",
  attributes: Attributes,
  weights: readonly (Value | undefined)[],
  size = width,
): void {
  const x = g.input("x", "float32", ["batch", "sequence", size]);
  const router = g.matmul(g.reshape(x, [-1, size]), g.parameter([size, experts], 4));
  const y = g.apply(`${operator}@com.microsoft`, [x, router, ...weights], attributes);
  g.output("y", g.add(x, y), "float32", ["batch", "sequence", size]);
}

const float = (value: number) => ({ kind: "float", value }) as const;

const gated: Attributes = {
  activation_type: "swiglu",
  swiglu_fusion: 1,
  activation_alpha: float(1.702),
  activation_beta: float(1),
  swiglu_limit: float(0.7),
};

const plain = (g: TestGraph) => [
  g.parameter([experts, inner, width]),
  g.parameter([experts, inner]),
  g.parameter([experts, width, inner]),
  g.parameter([experts, width]),
];

/** Up, its scales and bias, and down: `size` by `size` quantized to a few bits; scales per row, or per block. */
function quantized(g: TestGraph, bits: number, size: number, blocks?: number): Value[] {
  const matrix = (): Value[] => [
    g.quantized("uint8", [experts, size, (size * bits) / 8]),
    g.scales([experts, size, ...(blocks === undefined ? [] : [blocks])], 0.2 / 2 ** bits),
    g.parameter([experts, size]),
  ];
  return [...matrix(), ...matrix()];
}

/** 64 by 64 in 4 bits, with gate and up rows alternating, and zero points per row or per block. */
function gatedWithZeros(g: TestGraph, blocks?: number): (Value | undefined)[] {
  const scalesOf = (rows: number): Value =>
    g.scales([experts, rows, ...(blocks === undefined ? [] : [blocks])], 0.02);
  const zerosOf = (rows: number): Value =>
    g.quantized("uint8", blocks === undefined ? [experts, rows / 2] : [experts, rows, blocks / 2]);
  return [
    ...[g.quantized("uint8", [experts, 128, 32]), scalesOf(128), g.parameter([experts, 128])],
    ...[g.quantized("uint8", [experts, 64, 32]), scalesOf(64), g.parameter([experts, 64])],
    ...[undefined, undefined, undefined],
    ...[zerosOf(128), zerosOf(64)],
  ];
}

const cases: readonly OperatorCase[] = [
  ...["relu", "gelu", "silu", "identity"].map(
    (activation): OperatorCase => ({
      operator: "com.microsoft.MoE",
      says: `splits the inner width of all experts, with ${activation}, and adds the output bias once`,
      build: (g) => throughExperts(g, "MoE", { activation_type: activation, k: 2 }, plain(g)),
      shards: [inner],
    }),
  ),
  {
    operator: "com.microsoft.MoE",
    says: "splits gate and up rows together, which alternate",
    build: (g) =>
      throughExperts(g, "MoE", { ...gated, k: 1, normalize_routing_weights: 1 }, [
        g.parameter([experts, 2 * inner, width]),
        undefined,
        g.parameter([experts, width, inner]),
      ]),
    shards: [inner],
  },
  {
    operator: "com.microsoft.MoE",
    says: "routes rows without a batch axis",
    build: (g) => {
      const x = g.input("x", "float32", ["rows", width]);
      const router = g.matmul(x, g.parameter([width, experts], 4));
      const y = g.apply("MoE@com.microsoft", [x, router, ...plain(g)], { k: 2 });
      g.output("y", y, "float32", ["rows", width]);
    },
    shards: [inner],
  },
  ...[2, 4, 8].flatMap((bits): OperatorCase[] => [
    {
      operator: "com.microsoft.QMoE",
      says: `splits the inner width into bytes of ${8 / bits} numbers`,
      build: (g) => throughExperts(g, "QMoE", { k: 2, expert_weight_bits: bits }, quantized(g, bits, 64), 64),
      shards: [(64 * bits) / 8],
    },
    {
      operator: "com.microsoft.QMoE",
      says: `splits into blocks of 16 numbers of ${bits} bits`,
      build: (g) => {
        const attributes = { k: 2, expert_weight_bits: bits, block_size: 16 };
        throughExperts(g, "QMoE", attributes, quantized(g, bits, 64, 4), 64);
      },
      shards: [4],
    },
  ]),
  {
    operator: "com.microsoft.QMoE",
    says: "splits into pairs of rows, and of blocks, whose zero points share a byte",
    build: (g) => throughExperts(g, "QMoE", { ...gated, k: 2, block_size: 16 }, gatedWithZeros(g, 4), 64),
    shards: [2],
  },
  {
    operator: "com.microsoft.QMoE",
    says: "splits pairs of gate and up rows, whose zero points share a byte",
    build: (g) => throughExperts(g, "QMoE", { ...gated, k: 2 }, gatedWithZeros(g), 64),
    shards: [32],
  },
  {
    operator: "com.microsoft.QMoE",
    says: "weights experts by other numbers than those they are chosen by",
    build: (g) => {
      const x = g.input("x", "float32", ["rows", 64]);
      const scores = () => g.matmul(x, g.parameter([64, experts], 4));
      const router = g.softmax(scores());
      // A softmax would itself need them whole.
      const weights = g.sigmoid(scores());
      const none = new Array<undefined>(6);
      const inputs = [x, router, ...quantized(g, 8, 64), ...none, weights];
      g.output("y", g.apply("QMoE@com.microsoft", inputs, { k: 2, expert_weight_bits: 8 }), "float32", [
        "rows",
        64,
      ]);
    },
    shards: [64],
  },
];

describeOperators(cases);

it("the inner width of experts is called a width, though their operator reads two values", () => {
  const g = new TestGraph();
  throughExperts(g, "MoE", { k: 2 }, plain(g));
  expect(planGraph(g.build(), { ranks: 2 }).factors).toMatchObject([
    { label: "width", units: inner, sharded: true },
  ]);
});

describe.each<["MoE" | "QMoE", string[], string[], (g: TestGraph) => void]>([
  ["MoE", ["w0", "w1"], ["w2"], (g) => throughExperts(g, "MoE", { k: 2 }, plain(g))],
  [
    "QMoE",
    ["w0", "w1", "w2", "w6"],
    ["w3", "w4", "w7"],
    (g) => {
      const weights = gatedWithZeros(g, 4);
      throughExperts(g, "QMoE", { ...gated, k: 2, block_size: 16 }, weights, 64);
    },
  ],
])("%s", (_, up, down, build) => {
  const g = new TestGraph();
  build(g);
  const { weights } = planGraph(g.build(), { ranks: 2 });

  it("shards by columns the weights that compute the inner width", () => {
    expect(up.map((name) => weights[name]?.placement)).toEqual(up.map(() => "column-parallel"));
  });

  it("shards by rows the weights that read it", () => {
    expect(down.map((name) => weights[name]?.placement)).toEqual(down.map(() => "row-parallel"));
  });
});

describe.each(["MoE", "QMoE"] as const)("of %s, a token is predicted to read", (operator) => {
  const size = 64;
  const planOf = (chosen: number) => {
    const g = new TestGraph();
    if (operator === "QMoE") {
      throughExperts(g, operator, { k: chosen, expert_weight_bits: 8 }, quantized(g, 8, size), size);
    } else {
      const matrices = [0, 1].map(() => g.parameter([experts, size, size]));
      throughExperts(g, operator, { k: chosen }, [matrices[0], undefined, matrices[1]], size);
    }
    return planGraph(g.build(), { ranks: 2 });
  };

  it("only the experts that a row is routed to", () => {
    const [one, all] = [1, experts].map((chosen) => planOf(chosen).predicted.secondsPerToken);
    const { weights } = planOf(1);
    const bytesOfExperts = Object.values(weights)
      .filter(({ dims }) => dims[0] === experts)
      .reduce((sum, { bytesPerRank }) => sum + bytesPerRank[0]!, 0);
    // It skips two of three experts; ranks read 16 GB a second.
    expect(all! - one!).toBeCloseTo(((2 / 3) * bytesOfExperts) / 16e9, 12);
  });
});

/**
 * Experts that are the only readers of the preceding rows. If another node reads these later, they cannot be
 * overwritten.
 */
function lastReader(operator: "MoE" | "QMoE", givesRows: boolean) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["rows", 64]);
  const router = g.matmul(x, g.parameter([64, experts], 4));
  const rows = g.tanh(x);
  const matrices = [0, 1].map(() => g.parameter([experts, 64, 64]));
  const weights = operator === "MoE" ? [matrices[0], undefined, matrices[1]] : quantized(g, 4, 64);
  g.output(
    "y",
    g.tanh(g.apply(`${operator}@com.microsoft`, [rows, router, ...weights], { k: 2 })),
    "float32",
    [],
  );
  if (givesRows) g.output("rows", rows, "float32", []);
  return { graph: g.build(), contents: g.contents };
}

it.each(["MoE", "QMoE"] as const)(
  "%s computes the same if nothing reads its rows later, so that they may be overwritten",
  async (operator) => {
    const made = lastReader(operator, false);
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(lastReader(operator, true), inputs);
    for (const ranks of [1, 2, 3]) {
      const split = await runSplit(made, planGraph(made.graph, { ranks }), inputs);
      // Sums of 64 products of numbers below 1, in another order.
      expect(split.y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: 1e-5 });
    }
  },
);
