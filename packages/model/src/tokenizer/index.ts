export { TokenStream } from "./token-stream.js";
export { type DecodeOptions, type EncodeOptions, loadTokenizer, Tokenizer } from "./tokenizer.js";
