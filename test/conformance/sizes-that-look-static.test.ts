import type { GraphBuilder, Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { expect, it } from "vitest";
import { runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

const width = 4;
const inner = 6;

interface Made {
  readonly g: TestGraph;
  /** `[rows, inner]`, computed by a weight that is sharded along `inner`. */
  readonly h: Value;
  /** The number of rows, of shape [1]. */
  readonly rows: Value;
}

const ints = (g: GraphBuilder, ...values: number[]): Value => g.integers(values);

type Case = [name: string, make: (made: Made) => Value, rows: number];

const min = ({ g, rows }: Made, most: number): Value => g.apply("Min", [rows, ints(g, most)]);

const everyNth = ({ g, h }: Made, step: number): Value =>
  g.apply("Slice", [h, ints(g, 0), ints(g, 2 ** 31 - 1), ints(g, 0), ints(g, step)]);

/** Expands `h` to as many copies as `some` has rows, plus `more`. */
const expandTo = ({ g, h }: Made, some: Value, more: number): Value => {
  const times = g.add(g.shape(some, 0, 1), ints(g, more));
  return g.apply("Expand", [g.apply("Unsqueeze", [h, ints(g, 0)]), g.concat([times, ints(g, 1, 1)], 0)]);
};

const cases: Case[] = [
  ["Gather by Min", (m) => m.g.apply("Gather", [m.h, min(m, 4)], { axis: 1 }), 2],
  [
    "Gather by Range to Min",
    (m) =>
      m.g.apply(
        "Gather",
        [m.h, m.g.apply("Range", [m.g.integer(0), m.g.apply("Squeeze", [min(m, 4)]), m.g.integer(1)])],
        { axis: 1 },
      ),
    2,
  ],
  [
    "Gather by a comparison",
    (m) =>
      m.g.apply(
        "Gather",
        [m.h, m.g.apply("Cast", [m.g.apply("Greater", [m.rows, ints(m.g, 2)])], { to: 7 })],
        { axis: 1 },
      ),
    2,
  ],
  [
    "Gather by Where of a comparison",
    (m) =>
      m.g.apply(
        "Gather",
        [m.h, m.g.apply("Where", [m.g.apply("Greater", [m.rows, ints(m.g, 2)]), ints(m.g, 5), ints(m.g, 1)])],
        { axis: 1 },
      ),
    2,
  ],
  [
    "Gather by Clip",
    (m) =>
      m.g.apply("Gather", [m.h, m.g.apply("Clip", [m.rows, m.g.integer(0), m.g.integer(4)])], { axis: 1 }),
    2,
  ],
  [
    "Gather by Div",
    (m) => m.g.apply("Gather", [m.h, m.g.apply("Div", [m.rows, ints(m.g, 100)])], { axis: 1 }),
    150,
  ],
  [
    "Gather by Mod",
    (m) => m.g.apply("Gather", [m.h, m.g.apply("Mod", [m.rows, ints(m.g, 4)])], { axis: 1 }),
    2,
  ],
  [
    "Reshape by Min",
    (m) => m.g.apply("Reshape", [m.h, m.g.concat([ints(m.g, -1), min(m, 2), ints(m.g, 3)], 0)]),
    1,
  ],
  [
    "Expand by Min",
    (m) =>
      m.g.apply("Expand", [
        m.g.apply("Unsqueeze", [m.h, ints(m.g, 0)]),
        m.g.concat([min(m, 3), ints(m.g, 1), ints(m.g, 1)], 0),
      ]),
    2,
  ],
  [
    "ConstantOfShape by Min",
    (m) =>
      m.g.add(
        m.g.apply("ConstantOfShape", [m.g.concat([min(m, 3), ints(m.g, 1), ints(m.g, inner)], 0)]),
        m.h,
      ),
    2,
  ],
  [
    "Slice of another axis",
    (m) =>
      m.g.apply("Slice", [
        m.h,
        m.g.concat(
          [m.g.apply("Cast", [m.g.apply("Greater", [m.rows, ints(m.g, 2)])], { to: 7 }), ints(m.g, 0)],
          0,
        ),
        ints(m.g, 1000, 3),
        ints(m.g, 0, 1),
      ]),
    2,
  ],
  ["Slice to Min", (m) => m.g.apply("Slice", [m.h, ints(m.g, 0), min(m, 4), ints(m.g, 1)]), 2],
  ["Tile", (m) => m.g.apply("Tile", [m.h, m.g.concat([min(m, 3), ints(m.g, 1)], 0)]), 2],
  [
    "Pad",
    (m) =>
      m.g.apply("Pad", [
        m.h,
        m.g.concat([ints(m.g, 0, 0, 0), m.g.apply("Div", [m.rows, ints(m.g, 100)])], 0),
      ]),
    150,
  ],
  [
    "Split",
    (m) => {
      const k = min(m, 4);
      const [a, b] = m.g.applyAll(
        "Split",
        [m.h, m.g.concat([k, m.g.apply("Sub", [ints(m.g, inner), k])], 0)],
        2,
        { axis: 1 },
      );
      m.g.output("a", m.g.relu(a!), "float32", []);
      return b!;
    },
    2,
  ],
  [
    "Expand to the size of a cut",
    (m) => {
      const cut = m.g.apply("Slice", [m.h, ints(m.g, 0), ints(m.g, 4), ints(m.g, 0)]);
      return m.g.apply("Expand", [
        m.g.apply("Unsqueeze", [m.h, ints(m.g, 0)]),
        m.g.concat([m.g.shape(cut, 0, 1), ints(m.g, 1), ints(m.g, 1)], 0),
      ]);
    },
    2,
  ],
  [
    "Squeeze of an axis that is 1 when planned",
    (m) => {
      const k = m.g.apply("Add", [m.g.apply("Div", [m.rows, ints(m.g, 100)]), ints(m.g, 1)]);
      return m.g.apply("Squeeze", [m.g.apply("Slice", [m.h, ints(m.g, 0), k, ints(m.g, 0)])]);
    },
    150,
  ],
  [
    "Gather by the parity of the number of rows",
    (m) => {
      const half = m.g.apply("Div", [m.g.apply("Add", [m.rows, ints(m.g, 1)]), ints(m.g, 2)]);
      return m.g.apply("Gather", [m.h, m.g.sub(m.g.mul(half, ints(m.g, 2)), m.rows)], { axis: 1 });
    },
    2,
  ],
  [
    "Gather by the number of every other row",
    (m) => {
      const other = everyNth(m, 2);
      const size = m.g.mul(m.g.shape(other, 0, 1), ints(m.g, 2));
      return m.g.apply("Gather", [m.h, m.g.sub(size, m.rows)], { axis: 1 });
    },
    2,
  ],
  ["Expand to the number of every hundredth row", (m) => expandTo(m, everyNth(m, 100), 0), 150],
  [
    "Expand to one more than the rows of a Slice from the last to the hundredth",
    (m) => expandTo(m, m.g.apply("Slice", [m.h, ints(m.g, -1), ints(m.g, 100), ints(m.g, 0)]), 1),
    150,
  ],
  [
    "broadcast of an axis that is 1 when planned",
    (m) => {
      const k = m.g.apply("Add", [m.g.apply("Div", [m.rows, ints(m.g, 100)]), ints(m.g, 1)]);
      const some = m.g.apply("Slice", [m.h, ints(m.g, 0), k, ints(m.g, 0)]);
      return m.g.add(m.g.apply("Unsqueeze", [some, ints(m.g, 1)]), m.h);
    },
    150,
  ],
];

it.each(cases)(
  "%s computes what one session does, at sizes that the plan was not made for",
  async (_, make, count) => {
    const g = new TestGraph();
    const x = g.input("x", "float32", ["rows", width]);
    const h = g.relu(g.matmul(x, g.parameter([width, inner])));
    const rows = g.shape(x, 0, 1);
    g.output("y", g.relu(make({ g, h, rows })), "float32", []);
    // Something to share, in case the tested operator needs its weight whole.
    const up = g.relu(g.matmul(x, g.parameter([width, inner])));
    g.output("other", g.matmul(up, g.parameter([inner, width])), "float32", []);
    const made = { graph: g.build(), contents: g.contents };
    for (const n of [count, 7, 30]) {
      const data = Float32Array.from({ length: n * width }, (_, at) => Math.sin(1 + at));
      const inputs = { x: { type: "float32", dims: [n, width], data } } as const;
      const whole = await runWhole(made, inputs);
      for (const ranks of [1, 2, 3]) {
        const split = await runSplit(made, planGraph(made.graph, { ranks }), inputs).catch((e) => {
          throw new Error(`rows ${n} ranks ${ranks}: ${e.message}`);
        });
        for (const [name, { data, dims }] of Object.entries(whole)) {
          expect(split[name]!.dims, `rows ${n} ranks ${ranks}`).toEqual(dims);
          expect(split[name]!.data).toBeAllclose(data as Float32Array, { rtol: 0, atol: 1e-5 });
        }
      }
    }
  },
);
