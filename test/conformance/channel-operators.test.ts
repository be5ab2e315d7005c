import type { Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { type Attributes, microsoft, type TestGraph } from "../support/test-graph.js";

/**
 * Convolutions, and operators that accompany them, on channels: `[batch, channels, …]`, compared with ONNX Runtime
 * unsplit.
 */

const [given, channels, kernel] = [3, 12, 3];

/** `[batch, given, 8, 6]` convolved to `[batch, channels, 8, 6]`. */
function image(g: TestGraph): Value {
  const x = g.input("x", "float32", ["batch", given, 8, 6]);
  return g.apply("Conv", [x, g.parameter([channels, given, 1, 1]), g.parameter([channels])]);
}

/** Sums over the channels, to 5 others. */
function finish(g: TestGraph, x: Value, inputs: number): void {
  g.output("y", g.apply("Conv", [x, g.parameter([5, inputs, 1, 1])]), "float32", []);
}

function onImage(apply: (g: TestGraph, x: Value) => Value, outputs = channels): (g: TestGraph) => void {
  return (g) => finish(g, apply(g, image(g)), outputs);
}

/** The activation fused into an operator, and its parameters. */
const activations: readonly [name: string, ofConv: Attributes, ofGemm: Attributes][] = [
  ["Relu", {}, {}],
  [
    "LeakyRelu",
    { activation_params: { kind: "floats", value: [0.2] } },
    { activation_alpha: { kind: "float", value: 0.2 } },
  ],
];

const cases: readonly OperatorCase[] = [
  {
    operator: "Conv",
    says: "computes output channels separately and sums over input channels; the bias counts once",
    build: onImage((g, x) => {
      const weight = g.parameter([7, channels, kernel, kernel]);
      return g.relu(g.apply("Conv", [x, weight, g.parameter([7])], { pads: [1, 1, 1, 1], strides: [2, 2] }));
    }, 7),
    shards: [channels, 7, 5],
  },
  {
    operator: "Conv",
    says: "computes groups of several channels separately",
    build: onImage(
      (g, x) => g.apply("Conv", [x, g.parameter([8, 3, kernel, kernel]), g.parameter([8])], { group: 4 }),
      8,
    ),
    // Groups, input channels per group, output channels per group.
    shards: [4, 3, 2, 5],
  },
  {
    operator: "Conv",
    says: "has a group per channel if it is depthwise",
    build: onImage((g, x) =>
      g.apply("Conv", [x, g.parameter([channels, 1, kernel, kernel]), g.parameter([channels])], {
        group: channels,
        auto_pad: "SAME_UPPER",
      }),
    ),
    shards: [channels, 5],
  },
  {
    operator: "Conv",
    says: "works along one axis as along two",
    build: (g) => {
      const x = g.input("x", "float32", ["batch", given, "length"]);
      const wide = g.gelu(
        g.apply("Conv", [x, g.parameter([channels, given, kernel])], { strides: [2] }),
        "none",
      );
      g.output("y", g.apply("Conv", [wide, g.parameter([5, channels, 1])]), "float32", []);
    },
    inputs: { x: { type: "float32", dims: [1, given, 11], data: new Float32Array(3 * 11).fill(0.5) } },
    shards: [channels, 5],
  },
  {
    operator: "ConvTranspose",
    says: "accepts its kernel with input channels first",
    build: onImage((g, x) => {
      const weight = g.parameter([channels, 7, kernel, kernel]);
      const attributes = { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] };
      return g.relu(g.apply("ConvTranspose", [x, weight, g.parameter([7])], attributes));
    }, 7),
    shards: [channels, 7, 5],
  },
  {
    operator: "ConvTranspose",
    says: "computes groups separately",
    build: onImage(
      (g, x) => g.apply("ConvTranspose", [x, g.parameter([channels, 2, kernel, kernel])], { group: 4 }),
      8,
    ),
    shards: [4, 3, 2, 5],
  },
  {
    operator: "MaxPool",
    says: "computes channels separately",
    build: onImage((g, x) =>
      g.apply("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    ),
    shards: [channels, 5],
  },
  {
    operator: "MaxPool",
    says: "keeps everything whole if it outputs the indices of the largest values in the tensor",
    build: onImage((g, x) => {
      const [most, places] = g.applyAll("MaxPool", [x], 2, { kernel_shape: [2, 2], strides: [2, 2] });
      return g.add(most!, g.cast(places!, "float32"));
    }),
    tolerance: 1e-3,
    shards: [5],
  },
  {
    operator: "AveragePool",
    says: "computes channels separately",
    build: onImage((g, x) =>
      g.apply("AveragePool", [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    ),
    shards: [channels, 5],
  },
  {
    operator: "GlobalAveragePool",
    says: "computes channels separately",
    build: onImage((g, x) => g.apply("GlobalAveragePool", [x])),
    shards: [channels, 5],
  },
  {
    operator: "GlobalMaxPool",
    says: "computes channels separately",
    build: onImage((g, x) => g.apply("GlobalMaxPool", [x])),
    shards: [channels, 5],
  },
  {
    operator: "LpPool",
    says: "computes channels separately",
    build: onImage((g, x) => g.apply("LpPool", [x], { kernel_shape: [2, 2] })),
    shards: [channels, 5],
  },
  {
    operator: "BatchNormalization",
    says: "has separate statistics for every channel",
    build: onImage((g, x) => {
      const figures = [0, 1, 2].map(() => g.parameter([channels]));
      return g.apply("BatchNormalization", [x, ...figures, g.abs(g.parameter([channels], 4))]);
    }),
    shards: [channels, 5],
  },
  {
    operator: "InstanceNormalization",
    says: "normalizes every channel separately",
    build: onImage((g, x) =>
      g.apply("InstanceNormalization", [x, g.parameter([channels]), g.parameter([channels])]),
    ),
    shards: [channels, 5],
  },
  {
    operator: "GroupNormalization",
    says: "normalizes groups of channels separately, whose count is an attribute",
    build: onImage((g, x) =>
      g.apply("GroupNormalization", [x, g.parameter([channels]), g.parameter([channels])], { num_groups: 4 }),
    ),
    shards: [4, 5],
  },
  {
    operator: "LRN",
    says: "reads adjacent channels",
    build: onImage((g, x) => g.apply("LRN", [x], { size: 3 })),
    shards: [5],
  },
  {
    operator: "MeanVarianceNormalization",
    says: "computes channels separately, since they are not among its axes",
    build: onImage((g, x) => g.apply("MeanVarianceNormalization", [x])),
    shards: [channels, 5],
  },
  {
    operator: "Resize",
    says: "interpolates along the axes that its scales change",
    build: onImage((g, x) =>
      g.apply("Resize", [x, undefined, g.numbers([1, 1, 2, 1.5], [4])], { mode: "linear" }),
    ),
    shards: [channels, 5],
  },
  {
    operator: "Resize",
    says: "interpolates along channels that it scales, although their count stays the same",
    build: onImage((g, x) =>
      g.apply("Resize", [x, undefined, g.numbers([1, 1.05, 2, 2], [4])], { mode: "nearest" }),
    ),
    shards: [5],
  },
  {
    operator: "Resize",
    says: "accepts explicit sizes, including that of the channels",
    build: onImage((g, x) =>
      g.apply("Resize", [x, undefined, undefined, g.integers([2, channels, 4, 4])], { mode: "nearest" }),
    ),
    shards: [channels, 5],
  },
  {
    operator: "DepthToSpace",
    says: "lays out blocks of channels as squares",
    build: onImage((g, x) => g.apply("DepthToSpace", [x], { blocksize: 2 }), 3),
    shards: [3, 5],
  },
  {
    operator: "DepthToSpace",
    says: "also takes blocks from adjacent channels",
    build: onImage((g, x) => g.apply("DepthToSpace", [x], { blocksize: 2, mode: "CRD" }), 3),
    shards: [3, 5],
  },
  {
    operator: "SpaceToDepth",
    says: "turns squares into channels",
    build: onImage((g, x) => g.apply("SpaceToDepth", [x], { blocksize: 2 }), 4 * channels),
    shards: [channels, 5],
  },
  {
    operator: "GridSample",
    says: "reads every channel at the same positions",
    build: onImage((g, x) => g.apply("GridSample", [x, g.input("grid", "float32", ["batch", 3, 3, 2])])),
    shards: [channels, 5],
  },
  ...activations.flatMap(([activation, ofConv, ofGemm]): OperatorCase[] => [
    {
      operator: `FusedConv@${microsoft}`,
      says: `sums over input channels before the addition, and before ${activation}`,
      build: onImage((g, x) => {
        const inputs = [x, g.parameter([channels, channels, 1, 1]), g.parameter([channels]), x];
        return g.apply(`FusedConv@${microsoft}`, inputs, { activation, ...ofConv });
      }),
      shards: [channels, 5],
    },
    {
      operator: `FusedGemm@${microsoft}`,
      says: `sums over columns before ${activation}`,
      build: (g) => {
        const x = g.relu(g.matmul(g.input("x", "float32", ["batch", given]), g.parameter([given, channels])));
        const inputs = [x, g.parameter([7, channels]), g.parameter([7])];
        const y = g.apply(`FusedGemm@${microsoft}`, inputs, { transB: 1, activation, ...ofGemm });
        g.output("y", g.matmul(y, g.parameter([7, 5])), "float32", []);
      },
      shards: [channels, 7, 5],
    },
  ]),
];

describeOperators(cases);
