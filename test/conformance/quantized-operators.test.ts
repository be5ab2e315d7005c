import type { ConstantTensor, Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { microsoft, type TestGraph } from "../support/test-graph.js";

/** Operators on integers, as exporters' quantizers write them, compared with ONNX Runtime unsplit. */

const [width, inner, block] = [12, 16, 4];
/** The float16 bits of 1/16. */
const sixteenth = 0x2c00;

function hidden(g: TestGraph): Value {
  return g.input("x", "float32", ["batch", "sequence", width]);
}

/** `x · w`, with w in int8 and one scale per column. */
function integerLinear(g: TestGraph, x: Value, inputs: number, outputs: number): Value {
  const [rounded, scale, zero] = g.applyAll("DynamicQuantizeLinear", [x], 3);
  const weight = g.quantized("int8", [inputs, outputs]);
  const product = g.apply("MatMulInteger", [rounded!, weight, zero!, g.quantized("int8", [outputs], -5, 5)]);
  const scales = g.mul(scale!, g.scales([outputs], 0.01));
  return g.add(g.mul(g.cast(product, "float32"), scales), g.parameter([outputs]));
}

/** A weight that is dequantized by scales. */
function dequantized(
  g: TestGraph,
  dims: readonly number[],
  scales: readonly number[],
  attributes: Readonly<Record<string, number>>,
): Value {
  const values = g.quantized("int8", dims);
  return g.apply(
    "DequantizeLinear",
    [values, g.scales(scales, 0.01), g.quantized("int8", scales, -5, 5)],
    attributes,
  );
}

/** Rounded to uint8 with a fixed scale that suits numbers in ±6. */
function quantized(g: TestGraph, x: Value): [Value, Value, Value] {
  const [scale, zero] = [
    g.numbers([0.05]),
    g.constant({ type: "uint8", dims: [], data: Uint8Array.of(120) }),
  ];
  return [g.apply("QuantizeLinear", [x, scale, zero]), scale, zero];
}

const zeros = (length: number): ConstantTensor => ({
  type: "int8",
  dims: [length],
  data: new Int8Array(length),
});
const signedZero = (g: TestGraph): Value => g.constant({ type: "int8", dims: [], data: Int8Array.of(0) });

type Quantized = [values: Value, scale: Value, zeroPoint: Value];

/** A three-by-three convolution with a bias, quantized like its image. */
function quantizedConv(
  g: TestGraph,
  [x, scale, zero]: Quantized,
  inputs: number,
  outputs: number,
  weight: readonly Value[] = [g.numbers([0.003]), signedZero(g)],
): Value {
  const kernel = g.quantized("int8", [outputs, inputs, 3, 3], -20, 20);
  const bias = g.quantized("int32", [outputs], -5000, 5000);
  const operands = [x, scale, zero, kernel, ...weight, scale, zero, bias];
  return g.apply("QLinearConv", operands, { pads: [1, 1, 1, 1] });
}

/** A scale and zero point other than those of its operands. */
const result = (g: TestGraph): [Value, Value] => [
  g.numbers([0.1]),
  g.constant({ type: "uint8", dims: [], data: Uint8Array.of(100) }),
];

/** Operators on two quantized values, or on one of them. */
const ofTwoProducts: readonly [
  operator: string,
  says: string,
  make: (g: TestGraph, operator: string, a: Quantized, b: Quantized) => Quantized,
][] = [
  ...["QLinearAdd", "QLinearMul"].map((name): (typeof ofTwoProducts)[number] => [
    name,
    "dequantizes each operand with its own scale",
    (g, operator, a, b) => {
      const [scale, zero] = result(g);
      return [g.apply(operator, [...a, ...b, scale, zero]), scale, zero];
    },
  ]),
  [
    "QLinearConcat",
    "dequantizes each operand with its own scale",
    (g, operator, a, b) => {
      const [scale, zero] = result(g);
      return [g.apply(operator, [scale, zero, ...a, ...b], { axis: 1 }), scale, zero];
    },
  ],
  [
    "QLinearWhere",
    "dequantizes each operand with its own scale, and takes a condition without one",
    (g, operator, a, b) => {
      const condition = g.input("condition", "bool", ["batch", "sequence", 1]);
      const [scale, zero] = result(g);
      return [g.apply(operator, [condition, ...a, ...b, scale, zero]), scale, zero];
    },
  ],
  ...["QLinearSigmoid", "QLinearLeakyRelu"].map((name): (typeof ofTwoProducts)[number] => [
    name,
    "is quantized again",
    (g, operator, a) => {
      const [scale, zero] = result(g);
      return [g.apply(operator, [...a, scale, zero]), scale, zero];
    },
  ]),
];

const cases: readonly OperatorCase[] = [
  {
    operator: "DynamicQuantizeLinear",
    says: "rounds by the range of the whole tensor, even if every rank has a share; integer products are exact sums",
    build: (g) => {
      const up = g.relu(integerLinear(g, hidden(g), width, inner));
      g.output("y", integerLinear(g, up, inner, width), "float32", []);
    },
    shards: [inner, width],
    // The integers equal the unsplit session's; only fp32 sums after them are in another order.
  },
  {
    operator: `DynamicQuantizeMatMul@${microsoft}`,
    says: "computes what its two parts do, and adds its bias once",
    build: (g) => {
      const linear = (x: Value, inputs: number, outputs: number): Value =>
        g.apply(`DynamicQuantizeMatMul@${microsoft}`, [
          x,
          g.quantized("int8", [inputs, outputs]),
          g.scales([outputs], 0.01),
          undefined,
          g.parameter([outputs]),
        ]);
      g.output("y", linear(g.relu(linear(hidden(g), width, inner)), inner, width), "float32", []);
    },
    shards: [inner, width],
  },
  {
    operator: "DequantizeLinear",
    says: "accepts a scale per column, or per row, of a weight",
    build: (g) => {
      const up = g.matmul(hidden(g), dequantized(g, [width, inner], [inner], { axis: 1 }));
      g.output(
        "y",
        g.matmul(g.relu(up), dequantized(g, [inner, width], [inner], { axis: 0 })),
        "float32",
        [],
      );
    },
    shards: [inner, width],
  },
  {
    operator: "DequantizeLinear",
    says: "keeps blocks that share a scale whole",
    build: (g) => {
      const up = dequantized(g, [width, inner], [width, inner / block], { axis: 1, block_size: block });
      const down = dequantized(g, [inner, width], [inner / block, width], { axis: 0, block_size: block });
      g.output("y", g.matmul(g.relu(g.matmul(hidden(g), up)), down), "float32", []);
    },
    shards: [inner / block, width],
  },
  {
    operator: "DequantizeLinear",
    says: "of rows looked up gives zero for rows that a rank lacks, whatever the zero point",
    build: (g) => {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      const rows = g.gather(g.quantized("uint8", [10, width]), ids, 0);
      const zero = g.constant({ type: "uint8", dims: [], data: Uint8Array.of(131) });
      const x = g.apply("DequantizeLinear", [rows, g.numbers([0.02]), zero]);
      g.output("y", g.softmax(x), "float32", []);
    },
    shards: [10],
  },
  {
    operator: `GatherBlockQuantized@${microsoft}`,
    says: "looks up rows with their scales",
    build: (g) => {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      const table = g.quantized("uint8", [10, 16]);
      const x = g.apply(`GatherBlockQuantized@${microsoft}`, [table, ids, g.scales([10, 2], 0.02)], {
        block_size: 16,
        bits: 4,
        quantize_axis: 1,
      });
      g.output("y", g.softmax(x), "float32", []);
    },
    shards: [10],
  },
  {
    operator: `GatherBlockQuantized@${microsoft}`,
    says: "looks up rows in float16 if its scales are float16",
    build: (g) => {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      const table = g.quantized("uint8", [10, 16]);
      const scales = g.constant({
        type: "float16",
        dims: [10, 1],
        data: new Uint16Array(10).fill(sixteenth),
      });
      const x = g.apply(`GatherBlockQuantized@${microsoft}`, [table, ids, scales], { block_size: 32 });
      g.output("y", g.softmax(g.cast(x, "float32")), "float32", []);
    },
    shards: [10],
  },
  {
    operator: "DequantizeLinear",
    says: "dequantizes looked up rows to float16 if its scale is float16",
    build: (g) => {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      const rows = g.gather(g.quantized("uint8", [10, 16]), ids, 0);
      const scale = g.constant({ type: "float16", dims: [], data: Uint16Array.of(sixteenth) });
      const x = g.apply("DequantizeLinear", [rows, scale]);
      g.output("y", g.softmax(g.cast(x, "float32")), "float32", []);
    },
    shards: [10],
  },
  {
    operator: "DequantizeLinear",
    says: "dequantizes looked up rows with a computed scale per column",
    build: (g) => {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      const rows = g.gather(g.quantized("uint8", [10, 16]), ids, 0);
      const scales = g.mul(g.scales([16], 0.02), g.numbers([2]));
      g.output("y", g.tanh(g.apply("DequantizeLinear", [rows, scales], { axis: 2 })), "float32", []);
    },
    shards: [16],
  },
  {
    operator: "Gather",
    says: "of rows that ranks share counts negative ids from the table's end",
    build: (g) => {
      const ids = g.sub(g.input("ids", "int64", ["batch", "sequence"]), g.integer(5));
      g.output("y", g.softmax(g.gather(g.parameter([10, width]), ids, 0)), "float32", []);
    },
    shards: [10],
  },
  {
    operator: "QuantizeLinear",
    says: "and back is computed separately for each element",
    build: (g) => {
      const [rounded, scale, zero] = quantized(g, g.matmul(hidden(g), g.parameter([width, inner])));
      const x = g.apply("DequantizeLinear", [rounded, scale, zero]);
      g.output("y", g.matmul(g.relu(x), g.parameter([inner, width])), "float32", []);
    },
    shards: [inner, width],
  },
  {
    operator: "QLinearMatMul",
    says: "reduces a sum before it is rounded",
    build: (g) => {
      const linear = (x: [Value, Value, Value], inputs: number, outputs: number): Value => {
        const weight = [g.quantized("int8", [inputs, outputs]), g.numbers([0.003]), signedZero(g)];
        return g.apply("QLinearMatMul", [...x, ...weight, x[1], x[2]]);
      };
      const [x, scale, zero] = quantized(g, hidden(g));
      const up = linear([x, scale, zero], width, inner);
      const down = linear([up, scale, zero], inner, width);
      g.output("y", g.apply("DequantizeLinear", [down, scale, zero]), "float32", []);
    },
    shards: [inner, width],
    // A product that lies between two integers may be rounded either way: one step of 0.05.
    tolerance: 0.0501,
  },
  {
    operator: "MatMulInteger",
    says: "accepts zero points per column of each matrix of a stack",
    build: (g) => {
      const x = g.input("x", "uint8", ["batch", width]);
      const zeroPoints = g.quantized("int8", [4, 1, 5], -5, 5);
      const product = g.apply("MatMulInteger", [
        x,
        g.quantized("int8", [4, width, 5]),
        undefined,
        zeroPoints,
      ]);
      g.output("y", g.cast(product, "float32"), "float32", []);
    },
    shards: [4, 5],
    tolerance: 0,
  },
  {
    operator: `MatMulIntegerToFloat@${microsoft}`,
    says: "accepts scales per column of each matrix of a stack",
    build: (g) => {
      const x = g.input("x", "uint8", ["batch", width]);
      const weight = g.quantized("int8", [4, width, 5]);
      const [scale, scales] = [g.numbers([0.01]), g.scales([4, 1, 5], 0.01)];
      const product = g.apply(`MatMulIntegerToFloat@${microsoft}`, [x, weight, scale, scales]);
      g.output("y", product, "float32", []);
    },
    shards: [4, 5],
  },
  {
    operator: "QLinearMatMul",
    says: "accepts scales per column of each matrix of a stack",
    build: (g) => {
      const [x, scale, zero] = quantized(g, g.input("x", "float32", ["batch", width]));
      const weight = [
        g.quantized("int8", [4, width, 5]),
        g.scales([4, 1, 5], 0.01),
        g.quantized("int8", [4, 1, 5], -5, 5),
      ];
      const y = g.apply("QLinearMatMul", [x, scale, zero, ...weight, scale, zero]);
      g.output("y", g.apply("DequantizeLinear", [y, scale, zero]), "float32", []);
    },
    shards: [4, 5],
    // A product that lies between two integers may be rounded either way: one step of 0.05.
    tolerance: 0.0501,
  },
  {
    operator: `QGemm@${microsoft}`,
    says: "adds its bias once, with a transposed weight",
    build: (g) => {
      const x = g.reshape(hidden(g), [-1, width]);
      const linear = (x: Value, inputs: number, outputs: number): Value => {
        const weight = [g.quantized("int8", [outputs, inputs]), g.numbers([0.003]), signedZero(g)];
        const bias = g.quantized("int32", [outputs], -500, 500);
        return g.apply(`QGemm@${microsoft}`, [...quantized(g, x), ...weight, bias], { transB: 1 });
      };
      g.output("y", linear(g.relu(linear(x, width, inner)), inner, width), "float32", []);
    },
    shards: [inner, width],
    tolerance: 0.05,
  },
  {
    operator: "ConvInteger",
    says: "sums over input channels in integers",
    build: (g) => {
      const conv = (x: Value, inputs: number, outputs: number): Value => {
        const [rounded, scale, zero] = g.applyAll("DynamicQuantizeLinear", [x], 3);
        const weight = g.quantized("uint8", [outputs, inputs, 3, 3]);
        const point = g.constant({ type: "uint8", dims: [], data: Uint8Array.of(128) });
        const sum = g.apply("ConvInteger", [rounded!, weight, zero!, point], { pads: [1, 1, 1, 1] });
        return g.mul(g.cast(sum, "float32"), g.mul(scale!, g.numbers([0.001])));
      };
      const x = g.input("x", "float32", ["batch", 3, 5, 4]);
      g.output("y", conv(g.relu(conv(x, 3, inner)), inner, 6), "float32", []);
    },
    shards: [inner, 6],
  },
  ...[false, true].map(
    (isPerChannel): OperatorCase => ({
      operator: "QLinearConv",
      says: `adds its bias once, with ${isPerChannel ? "scales per channel" : "one scale"}`,
      build: (g) => {
        const conv = (image: Quantized, inputs: number, outputs: number): Value => {
          const weight = isPerChannel ? [g.scales([outputs], 0.003), g.constant(zeros(outputs))] : undefined;
          return quantizedConv(g, image, inputs, outputs, weight);
        };
        const [x, scale, zero] = quantized(g, g.input("x", "float32", ["batch", 3, 5, 4]));
        const y = conv([conv([x, scale, zero], 3, inner), scale, zero], inner, 6);
        g.output("y", g.apply("DequantizeLinear", [y, scale, zero]), "float32", []);
      },
      shards: [inner, 6],
      // A sum that lies between two integers may be rounded either way: one step of 0.05.
      tolerance: 0.0501,
    }),
  ),
  ...(
    [
      [
        "QLinearAveragePool",
        { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 0], count_include_pad: 1 },
      ],
      ["QLinearGlobalAveragePool", { channels_last: 0 }],
    ] as const
  ).map(
    ([operator, attributes]): OperatorCase => ({
      operator: `${operator}@${microsoft}`,
      says: "is computed for every channel separately, and quantized again",
      build: (g) => {
        const [x, scale, zero] = quantized(g, g.input("x", "float32", ["batch", 3, 5, 4]));
        const image = quantizedConv(g, [x, scale, zero], 3, inner);
        const [own, ownZero] = result(g);
        const pooled = g.apply(`${operator}@${microsoft}`, [image, scale, zero, own, ownZero], attributes);
        g.output("y", g.apply("DequantizeLinear", [pooled, own, ownZero]), "float32", []);
      },
      shards: [inner],
      // A product between two integers may be rounded either way, and so may a mean of products, whose step is 0.1.
      tolerance: 0.1001,
    }),
  ),
  ...[
    { axis: 3, opset: 17, says: "is along one axis", shards: [4, 3] },
    { axis: 2, opset: 12, says: "before opset 13 normalizes over all axes from its own on", shards: [4] },
    {
      axis: -1,
      opset: 12,
      says: "before opset 13 normalizes over one axis if that is the last",
      shards: [4, 3],
    },
  ].map(
    ({ says, shards, ...attributes }): OperatorCase => ({
      operator: `QLinearSoftmax@${microsoft}`,
      says,
      build: (g) => {
        const [x, scale, zero] = quantized(g, hidden(g));
        const weight = [g.quantized("int8", [width, 4 * 3 * 5]), g.numbers([0.003]), signedZero(g)];
        const product = g.apply("QLinearMatMul", [x, scale, zero, ...weight, scale, zero]);
        const heads = g.transpose(g.reshape(product, [0, 0, 4, 3, 5]), [0, 2, 1, 3, 4]);
        const scores = g.reshape(g.transpose(heads, [0, 1, 3, 2, 4]), [0, 4, 3, -1]);
        const share = [g.numbers([1 / 256]), g.constant({ type: "uint8", dims: [], data: Uint8Array.of(0) })];
        const y = g.apply(`QLinearSoftmax@${microsoft}`, [scores, scale, zero, ...share], attributes);
        g.output("y", g.apply("DequantizeLinear", [y, ...share]), "float32", []);
      },
      shards,
      // A score between two integers may be rounded either way: a share times 0.05.
      tolerance: 0.0501,
    }),
  ),
  ...ofTwoProducts.map(
    ([operator, says, make]): OperatorCase => ({
      operator: `${operator}@${microsoft}`,
      says,
      build: (g) => {
        const [x, scale, zero] = quantized(g, hidden(g));
        const product = (): Quantized => {
          const weight = [g.quantized("int8", [width, inner]), g.numbers([0.003]), signedZero(g)];
          return [g.apply("QLinearMatMul", [x, scale, zero, ...weight, scale, zero]), scale, zero];
        };
        const y = make(g, `${operator}@${microsoft}`, product(), product());
        g.output("y", g.apply("DequantizeLinear", y), "float32", []);
      },
      shards: [inner],
      // Values between two integers may be rounded either way, both the products and what is computed from them, whose
      // step is 0.1.
      tolerance: 0.2001,
    }),
  ),
  {
    operator: `QEmbedLayerNormalization@${microsoft}`,
    says: "looks up in tables of integers whose rows ranks share",
    build: (g) => {
      const [words, positions, segments] = [5, 8, 2];
      const ids = ["ids", "segments"].map((name) => g.input(name, "int32", ["batch", "sequence"]));
      const tables = [[words, width], [positions, width], [segments, width], [width], [width]];
      const quantizedTables = tables.map((dims) => g.quantized("uint8", dims));
      const scales = tables.map(() => g.numbers([0.02]));
      const zeros = tables.map(() => g.constant({ type: "uint8", dims: [], data: Uint8Array.of(120) }));
      const inputs = [...ids, ...quantizedTables, undefined, ...scales, ...zeros];
      const [y] = g.applyAll(`QEmbedLayerNormalization@${microsoft}`, inputs, 2, {
        epsilon: { kind: "float", value: 1e-5 },
      });
      g.output("y", g.matmul(y!, g.parameter([width, inner])), "float32", []);
    },
    inputs: { segments: { type: "int32", dims: [2, 3], data: Int32Array.of(0, 0, 1, 0, 1, 1) } },
    shards: [5, 8, 2, inner],
  },
];

describeOperators(cases);
