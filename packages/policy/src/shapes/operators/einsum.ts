import { broadcast } from "../broadcast.js";
import type { NodeContext, ShapeRule } from "../node-context.js";

/**
 * Letters name axes, `...` the broadcast axes. Without `->`, the output has the ellipsis, then the letters that occur
 * once, in alphabetical order (https://onnx.ai/onnx/operators/onnx__Einsum.html).
 */
export const einsum: ShapeRule = (node) => {
  const [left = "", right] = node.string("equation", "").replaceAll(" ", "").split("->");
  const terms = left.split(",").map(parseTerm);
  if (terms.length !== node.inputs.length) node.fail(`${terms.length} inputs, as "${left}" says`);
  const sizes = new Map<string, number>();
  let ellipsis: readonly number[] = [];
  terms.forEach((term, slot) => {
    ellipsis = broadcast(node, ellipsis, bindTerm(node, term, node.dims(slot), sizes));
  });
  const output = right === undefined ? implicitOutput(left) : right;
  const { before, after, dots } = parseTerm(output);
  const size = (letter: string) => sizes.get(letter) ?? node.fail(`the output letter ${letter} in an input`);
  return [
    {
      type: node.type(0),
      dims: [...[...before].map(size), ...(dots ? ellipsis : []), ...[...after].map(size)],
    },
  ];
};

interface Term {
  readonly before: string;
  readonly dots: boolean;
  readonly after: string;
}

function parseTerm(term: string): Term {
  const at = term.indexOf("...");
  return at < 0
    ? { before: term, dots: false, after: "" }
    : { before: term.slice(0, at), dots: true, after: term.slice(at + 3) };
}

/** Binds the letters of one input, and returns the sizes of its ellipsis. */
function bindTerm(
  node: NodeContext,
  term: Term,
  dims: readonly number[],
  sizes: Map<string, number>,
): readonly number[] {
  const letters = term.before.length + term.after.length;
  if (term.dots ? dims.length < letters : dims.length !== letters) {
    node.fail(`an input of ${letters} axes for "${term.before}${term.dots ? "..." : ""}${term.after}"`);
  }
  const bind = (letter: string, size: number): void => {
    const known = sizes.get(letter);
    if (known === undefined || known === 1) sizes.set(letter, size);
    else if (size !== 1 && size !== known) node.fail(`one size for ${letter}, not ${known} and ${size}`);
  };
  const tail = dims.length - term.after.length;
  for (const [axis, letter] of [...term.before].entries()) bind(letter, dims[axis]!);
  for (const [axis, letter] of [...term.after].entries()) bind(letter, dims[tail + axis]!);
  return dims.slice(term.before.length, tail);
}

function implicitOutput(left: string): string {
  const letters = [...left].filter((character) => /[a-zA-Z]/.test(character));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return `${left.includes("...") ? "..." : ""}${once.join("")}`;
}
