export * from "./communicator.js";
