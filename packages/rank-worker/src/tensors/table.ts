import type { Tensor } from "./tensor.js";

/** The values of one run, by index; undefined before a step has computed one, and after the last step that uses it. */
export type Table = (Tensor | undefined)[];
