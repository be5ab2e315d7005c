export { evaluateShapes } from "./evaluate.js";
export type { Evaluated } from "./evaluated.js";
export { type EvaluatedPair, evaluatePair, type PairedShapes } from "./pair.js";
export { bindSymbols, type SymbolTable, sizeProduct, symbolTable } from "./symbols.js";
