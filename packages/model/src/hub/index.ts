export { type HubEnvironment, hubCache, resolveModel } from "./resolve-model.js";
