/**
 * Every contestant decodes 96 tokens behind a prompt of 16 before its first turn. V8 compiles what it runs often, on
 * other threads of the process; with no more cores than ranks those take the ranks' cores, for about as many tokens.
 */
export const warmUp = { prompt: 16, tokens: 96 };
