export type { InputValue } from "./inputs/inputs.js";
export type { Tensor, TensorOf, TensorType } from "./tensor.js";
