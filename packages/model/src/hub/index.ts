export { resolveModel } from "./resolve-model.js";
