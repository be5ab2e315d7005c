import type { Value } from "@ringrank/model";
import { type Attributes, microsoft, type TestGraph } from "../test-graph.js";
import { type Apply, float, type Given, pick, unchanged } from "./tensor.js";

/** What an operator reads: a sequence `[batch, sequence, width]`, and numbers that determine choices. */
interface Read extends Pick<Given, "g" | "one" | "two"> {
  readonly x: Value;
  /** A product with a parameter. */
  readonly project: (outputs: number) => Value;
}

/** Adds to a sequence what operators between projections compute: `[batch, sequence, mixed]`. */
const mixing =
  (mix: (read: Read) => { readonly value: Value; readonly mixed: number }): Apply =>
  (given) => {
    const { g, x, one, two } = given;
    const [batch, sequence, width] = x.dims;
    if (batch !== "batch" || sequence !== "sequence" || typeof width !== "number" || x.dims.length !== 3)
      return unchanged(given);
    const project = (outputs: number): Value => g.matmul(x.value, g.parameter([width, outputs]));
    const { value, mixed } = mix({ g, x: x.value, one, two, project });
    return { value: g.add(x.value, g.matmul(value, g.parameter([mixed, width]))), dims: x.dims };
  };

function headsOf({ one, two }: Read) {
  const [keys, group, lanes] = [1 + (one % 4), 1 + (two % 3), 2 * (1 + (one % 3))];
  return { keys, heads: keys * group, lanes };
}

/** `0, 1, …`, int64 `[batch, sequence]`, up to the 32 positions of a table of angles. */
function positionsOf(g: TestGraph, x: Value): Value {
  const positions = g.unsqueeze(g.range(g.squeeze(g.shape(x, 1, 2), [0])), [0]);
  return g.expand(positions, g.shape(x, 0, 2));
}

/** Attention, rotations and recurrences in one operator. */
export const sequences = {
  "attention in one operator": mixing((read) => {
    const { g, one, two, project } = read;
    const { keys, heads, lanes } = headsOf(read);
    const attributes: Attributes = {
      q_num_heads: heads,
      kv_num_heads: keys,
      is_causal: one % 2,
      ...(two % 2 === 0 && { softcap: float(2) }),
    };
    const inputs = [project(heads * lanes), project(keys * lanes), project(keys * lanes)];
    return { value: g.apply("Attention", inputs, attributes), mixed: heads * lanes };
  }),
  "attention of many heads": mixing((read) => {
    const { g, one, project } = read;
    const { heads, lanes } = headsOf(read);
    const inputs = [0, 1, 2].map(() => project(heads * lanes));
    const bias = one % 2 === 0 ? g.parameter([3 * heads * lanes]) : undefined;
    const value = g.apply(`MultiHeadAttention@${microsoft}`, [...inputs, bias], { num_heads: heads });
    return { value, mixed: heads * lanes };
  }),
  "attention of grouped queries": mixing((read) => {
    const { g, x, one, two, project } = read;
    const { keys, heads } = headsOf(read);
    const lanes = 16;
    const [batch, length] = [g.shape(x, 0, 1), g.shape(x, 1, 2)];
    const past = g.apply("ConstantOfShape", [g.concat([batch, g.integers([keys, 0, lanes])], 0)]);
    const last = g.expand(g.cast(g.sub(length, g.integers([1])), "int32"), batch);
    const angles = one % 2 === 0 ? [0, 1].map(() => g.parameter([32, lanes / 2])) : [];
    const attributes: Attributes = {
      num_heads: heads,
      kv_num_heads: keys,
      do_rotary: angles.length > 0 ? 1 : 0,
      ...(two % 2 === 0 && { local_window_size: 2 }),
    };
    const apart = [project(heads * lanes), project(keys * lanes), project(keys * lanes)];
    const inputs = two % 5 === 0 ? [project((heads + 2 * keys) * lanes), undefined, undefined] : apart;
    const lengths = [last, g.cast(g.squeeze(length, [0]), "int32")];
    const all = [...inputs, past, past, ...lengths, ...angles];
    return {
      value: g.applyAll(`GroupQueryAttention@${microsoft}`, all, 3, attributes)[0]!,
      mixed: heads * lanes,
    };
  }),
  "heads rotated": mixing((read) => {
    const { g, x, one, two, project } = read;
    const { heads, lanes } = headsOf(read);
    const [rows, angles] = [project(heads * lanes), [0, 1].map(() => g.parameter([32, lanes / 2]))];
    const attributes: Attributes = { interleaved: one % 2 };
    const value =
      two % 2 === 0
        ? g.apply("RotaryEmbedding", [rows, ...angles, positionsOf(g, x)], {
            ...attributes,
            num_heads: heads,
          })
        : g.apply(`RotaryEmbedding@${microsoft}`, [rows, positionsOf(g, x), ...angles], attributes);
    return { value, mixed: heads * lanes };
  }),
  "states of heads": mixing((read) => {
    const { g, one, two, project } = read;
    const { heads, lanes } = headsOf(read);
    const values = 1 + (two % 4);
    const rule = pick(["linear", "gated", "delta", "gated_delta"], one);
    // Keys short enough that the delta rule converges, and fractions of a state that are kept.
    const keys = g.mul(project(heads * lanes), g.numbers([0.3]));
    const decay = rule.includes("gated") ? g.apply("Neg", [g.softplus(project(heads))]) : undefined;
    const rate = rule.includes("delta") ? g.sigmoid(project(heads)) : undefined;
    const inputs = [project(heads * lanes), keys, project(heads * values), undefined, decay, rate];
    const attributes: Attributes = { q_num_heads: heads, kv_num_heads: heads, update_rule: rule };
    const [value] = g.applyAll(`LinearAttention@${microsoft}`, inputs, 2, attributes);
    return { value: value!, mixed: heads * values };
  }),
  "channels convolved causally": mixing(({ g, one, two, project }) => {
    const channels = 1 + (one % 7);
    const rows = g.transpose(project(channels), [0, 2, 1]);
    const bias = two % 2 === 0 ? [g.parameter([channels])] : [];
    const inputs = [rows, g.parameter([channels, 1, 3]), ...bias];
    const attributes: Attributes = two % 3 === 0 ? { activation: "silu" } : {};
    const [value] = g.applyAll(`CausalConvWithState@${microsoft}`, inputs, 2, attributes);
    return { value: g.transpose(value!, [0, 2, 1]), mixed: channels };
  }),
} satisfies Record<string, Apply>;
