export * from "./program/program.js";
