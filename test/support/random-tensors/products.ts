import type { Value } from "@ringrank/model";
import { microsoft } from "../test-graph.js";
import {
  type Apply,
  float,
  mostElements,
  pick,
  product,
  type Size,
  type Tensor,
  unchanged,
} from "./tensor.js";

/** Products with matrices, products of two values, and Einsum. */
export const products = {
  product: (given) => {
    const { g, x, one, two } = given;
    const inputs = x.dims.at(-1);
    const outputs = 1 + (one % 7);
    if (
      typeof inputs !== "number" ||
      x.dims.length < 2 ||
      (product(x.dims) / inputs) * outputs > mostElements
    )
      return unchanged(given);
    const weight =
      two % 3 === 0 ? g.transpose(g.parameter([outputs, inputs]), [1, 0]) : g.parameter([inputs, outputs]);
    return { value: g.matmul(x.value, weight), dims: [...x.dims.slice(0, -1), outputs] };
  },
  "product of a stack": (given) => {
    const { g, x, one } = given;
    const [units, inputs] = [x.dims.at(-3), x.dims.at(-1)];
    const outputs = 1 + (one % 5);
    if (typeof units !== "number" || typeof inputs !== "number") return unchanged(given);
    if ((product(x.dims) / inputs) * outputs > mostElements) return unchanged(given);
    return {
      value: g.matmul(x.value, g.parameter([units, inputs, outputs])),
      dims: [...x.dims.slice(0, -1), outputs],
    };
  },
  "product with itself": (given) => {
    const { g, x, two } = given;
    const [rows, columns] = x.dims.slice(-2);
    if (x.dims.length < 3 || typeof rows !== "number" || typeof columns !== "number") return unchanged(given);
    if ((product(x.dims) / columns) * rows > mostElements) return unchanged(given);
    const turn = [...x.dims.keys()];
    [turn[turn.length - 1], turn[turn.length - 2]] = [turn.length - 2, turn.length - 1];
    const value =
      two % 2 === 0
        ? g.matmul(x.value, g.transpose(x.value, turn))
        : g.apply(`FusedMatMul@${microsoft}`, [x.value, x.value], { transB: 1, alpha: float(0.5) });
    return { value: g.tanh(value), dims: [...x.dims.slice(0, -1), rows] };
  },
  "product of rows": (given) => {
    const { g, x, one, two } = given;
    if (x.dims.length !== 2 || typeof x.dims[1] !== "number") return unchanged(given);
    const [inputs, outputs] = [x.dims[1], 1 + (one % 7)];
    const turned = two % 2 === 0;
    const weight = g.parameter(turned ? [outputs, inputs] : [inputs, outputs]);
    const added = pick(
      [undefined, g.parameter([outputs]), g.parameter([1]), g.parameter([1, outputs]), g.parameter([])],
      two,
    );
    return {
      value: g.apply("Gemm", [x.value, weight, added], {
        transB: turned ? 1 : 0,
        alpha: float(0.7),
        beta: float(1.5),
      }),
      dims: [x.dims[0]!, outputs],
    };
  },
  "by letters": (given) => {
    const { g, x, one } = given;
    const { dims, value } = x;
    const known = dims.every((size, axis) => axis === 0 || typeof size === "number");
    const size = 1 + (one % 4);
    const of = (equation: string, inputs: Value[], made: readonly Size[]): Tensor =>
      product(made) > mostElements
        ? unchanged(given)
        : { value: g.apply("Einsum", inputs, { equation }), dims: made };
    if (dims.length === 2 && known) {
      const [b, i] = dims as [Size, number];
      return pick(
        [
          () => of("bi,ij->bj", [value, g.parameter([i, size])], [b, size]),
          () => of("bi,ji->bj", [value, g.parameter([size, i])], [b, size]),
          () => of("bi,ijk->bjk", [value, g.parameter([i, 2, size])], [b, 2, size]),
          () => of("bi,ijk->bkj", [value, g.parameter([i, 2, size])], [b, size, 2]),
          () => of("bi,bj->bij", [value, value], [b, i, i]),
          () => of("bi->b", [value], [b]),
          () => of("bi->ib", [value], [i, b]),
          () => of("...i,i->...i", [value, g.parameter([i])], [b, i]),
          () => of("bi , i -> b", [value, g.parameter([i])], [b]),
          () => of("bi,j->bij", [value, g.parameter([size])], [b, i, size]),
          () => of("bi,ij", [value, g.parameter([i, size])], [b, size]),
          () => of("bi,jk->bi", [value, g.parameter([2, size])], [b, i]),
          () => of("ij,bi->bj", [g.parameter([i, size]), value], [b, size]),
        ],
        one,
      )();
    }
    if (dims.length === 3 && known) {
      const [b, i, j] = dims as [Size, number, number];
      return pick(
        [
          () => of("bij,jk->bik", [value, g.parameter([j, size])], [b, i, size]),
          () => of("bij,ik->bjk", [value, g.parameter([i, size])], [b, j, size]),
          () => of("bij,ijk->bik", [value, g.parameter([i, j, size])], [b, i, size]),
          () => of("bij,ijk->bk", [value, g.parameter([i, j, size])], [b, size]),
          () => of("bij->bji", [value], [b, j, i]),
          () => of("bij->bj", [value], [b, j]),
          () => of("bij,bik->bjk", [value, value], [b, j, j]),
          () => of("...ij,...kj->...ik", [value, value], [b, i, i]),
          () => of("b...,...->b...", [value, g.parameter([1, j])], [b, i, j]),
          () => of("bij,bij->b", [value, value], [b]),
          () => of("bij,kj->bki", [value, g.parameter([size, j])], [b, size, i]),
          () => of("bij,i,j->bij", [value, g.parameter([i]), g.parameter([j])], [b, i, j]),
          () => of("bij,ij->bi", [value, g.parameter([i, j])], [b, i]),
          () => of("b...j,jk->b...k", [value, g.parameter([j, size])], [b, i, size]),
        ],
        one,
      )();
    }
    return unchanged(given);
  },
} satisfies Record<string, Apply>;
