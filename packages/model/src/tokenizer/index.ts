export { type ChatMessage, ChatTemplate, hasChatTemplate, loadChatTemplate } from "./chat-template.js";
export { TokenStream } from "./token-stream.js";
export {
  type DecodeOptions,
  type EncodeOptions,
  hasTokenizer,
  loadTokenizer,
  Tokenizer,
} from "./tokenizer.js";
