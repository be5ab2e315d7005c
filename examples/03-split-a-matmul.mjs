// One MatMul on two ranks, by hand: split by columns, then by rows.
//
//   node examples/03-split-a-matmul.mjs
//
// Tensor parallelism splits a layer's weights in just these two ways. By columns, each rank computes some of the
// outputs, and nothing has to be added. By rows, each rank computes a part of every output, and an all-reduce adds the
// parts. One after the other, two products only need a single all-reduce (Megatron-LM, arXiv 1909.08053).
import assert from "node:assert/strict";

/** Activations `[1, 4]` of one token. */
const x = [[1, 2, 3, 4]];
/** `[4, 4]`: inputs by outputs. */
const w = [
  [1, 0, 2, 1],
  [0, 1, 1, 3],
  [2, 1, 0, 1],
  [1, 2, 1, 0],
];
/** `[4, 2]` */
const v = [
  [1, 2],
  [0, 1],
  [2, 0],
  [1, 1],
];

/** `[i, k] · [k, j] → [i, j]` */
const matmul = (a, b) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, aik, k) => sum + aik * b[k][j], 0)));
const add = (a, b) => a.map((row, i) => row.map((value, j) => value + b[i][j]));
const columns = (a, from, to) => a.map((row) => row.slice(from, to));
const rows = (a, from, to) => a.slice(from, to);
const show = (a) => a.map((row) => `[${row.join(" ")}]`).join(" ");

const whole = matmul(x, w);
console.log(`x · W, unsplit:                    ${show(whole)}`);

console.log("\nBy columns: every rank has all of x, and half of W's columns.");
const [left, right] = [matmul(x, columns(w, 0, 2)), matmul(x, columns(w, 2, 4))];
console.log(`  rank 0 computes outputs 0 and 1: ${show(left)}`);
console.log(`  rank 1 computes outputs 2 and 3: ${show(right)}`);
console.log("  Side by side they form the product: Sharded, no communication.");
assert.deepEqual([[...left[0], ...right[0]]], whole);

console.log("\nBy rows: every rank has half of x, and the rows of W that it multiplies.");
const [top, bottom] = [matmul(columns(x, 0, 2), rows(w, 0, 2)), matmul(columns(x, 2, 4), rows(w, 2, 4))];
console.log(`  rank 0 sums over k = 0 and 1:    ${show(top)}`);
console.log(`  rank 1 sums over k = 2 and 3:    ${show(bottom)}`);
console.log(`  all-reduce:                      ${show(add(top, bottom))}`);
for (const [j, sum] of whole[0].entries())
  console.log(`    output ${j}: ${top[0][j]} + ${bottom[0][j]} = ${sum}`);
console.log("  Each rank had one summand of every output: Partial, a sum still owed.");
assert.deepEqual(add(top, bottom), whole);

console.log("\nTwo products in a row, x · W · V: W by columns, V by rows.");
const [zero, one] = [matmul(left, rows(v, 0, 2)), matmul(right, rows(v, 2, 4))];
console.log(`  rank 0 passes on its own columns: ${show(left)} → ${show(zero)}`);
console.log(`  rank 1 does the same:             ${show(right)} → ${show(one)}`);
console.log(`  one all-reduce for both:          ${show(add(zero, one))}`);
assert.deepEqual(add(zero, one), matmul(whole, v));
console.log(
  "  Attention (split by heads) and feed-forward layers (split by width) are such pairs. Each rank computes what",
);
console.log(
  "  lies in between, a softmax of one head or an activation, for its own columns, which are complete.",
);
