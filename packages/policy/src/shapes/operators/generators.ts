import { elementCount } from "@ringrank/model/weights";
import { hasContents } from "../evaluated.js";
import type { ShapeRule, ShapeRules } from "../node-context.js";
import { toElement, toNumbers } from "../numbers.js";
import { typeAttribute } from "../type-attribute.js";

const constant: ShapeRule = (node) => {
  const attributes = Object.entries(node.node.attributes);
  const [name, attribute] = attributes[0] ?? node.fail("an attribute with the value");
  switch (attribute.kind) {
    case "tensor": {
      const { type, dims, data } = attribute.value;
      return [{ type, dims, contents: hasContents(type, dims) ? toNumbers(data) : undefined }];
    }
    case "int":
      return [{ type: "int64", dims: [], contents: [attribute.value] }];
    case "ints":
      return [{ type: "int64", dims: [attribute.value.length], contents: attribute.value }];
    case "float":
      return [{ type: "float32", dims: [], contents: [attribute.value] }];
    case "floats":
      return [{ type: "float32", dims: [attribute.value.length], contents: attribute.value }];
    default:
      return node.fail(`a tensor, or numbers, as its value, not ${name} of kind ${attribute.kind}`);
  }
};

const constantOfShape: ShapeRule = (node) => {
  const dims = node.contents(0, "shape");
  const value = node.tensor("value");
  const type = value?.type ?? "float32";
  if (!hasContents(type, dims)) return [{ type, dims }];
  const fill = value === undefined ? 0 : (toNumbers(value.data)[0] ?? node.fail("a value of one element"));
  return [{ type, dims, contents: new Array<number>(elementCount(dims)).fill(fill) }];
};

/** ONNX Runtime adds the step repeatedly, in the element type. */
const range: ShapeRule = (node) => {
  const [start, limit, delta] = [node.scalar(0, "start"), node.scalar(1, "limit"), node.scalar(2, "delta")];
  const type = node.type(0);
  const count = Math.max(Math.ceil((limit - start) / delta), 0);
  if (!Number.isSafeInteger(count))
    node.fail(`finite bounds and a step, not ${start} to ${limit} by ${delta}`);
  if (!hasContents(type, [count])) return [{ type, dims: [count] }];
  let next = start;
  const contents = Array.from({ length: count }, () => {
    const element = next;
    next = toElement(type, element + delta);
    return element;
  });
  return [{ type, dims: [count], contents }];
};

/** Negative `start` and `end` count from the end, and are clamped (opset 15). */
const shape: ShapeRule = (node) => {
  const dims = node.dims(0);
  const contents = dims.slice(node.int("start", 0), node.int("end", dims.length));
  return [{ type: "int64", dims: [contents.length], contents }];
};

const size: ShapeRule = (node) => [{ type: "int64", dims: [], contents: [elementCount(node.dims(0))] }];

/** In the shape of the input and, unless `dtype` says otherwise, in its type. */
const likeInput: ShapeRule = (node) => [
  { type: typeAttribute(node, "dtype", node.type(0)), dims: node.dims(0) },
];

const oneHot: ShapeRule = (node) => {
  const dims = [...node.dims(0)];
  const axis = node.axis(node.int("axis", -1), dims.length + 1);
  dims.splice(axis, 0, node.scalar(1, "depth"));
  return [{ type: node.type(2), dims }];
};

/** One row of indices per axis. ONNX Runtime treats a scalar as a list of one element. */
const nonZero: ShapeRule = (node) => {
  const rank = Math.max(node.dims(0).length, 1);
  const count = node.contents(0, "data").reduce((sum, x) => sum + (x === 0 ? 0 : 1), 0);
  return [{ type: "int64", dims: [rank, count] }];
};

/** Operators that create tensors from constants, shapes and bounds. */
export const generatorRules: ShapeRules = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shape,
  Size: size,
  EyeLike: likeInput,
  OneHot: oneHot,
  NonZero: nonZero,
  RandomNormalLike: likeInput,
  RandomUniformLike: likeInput,
  Bernoulli: likeInput,
};
