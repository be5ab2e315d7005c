/** GPT-2's `bytes_to_unicode`, by byte: printable bytes are themselves, the others are characters from U+0100 on. */
export const byteSymbols: readonly string[] = symbols();

const bytes: ReadonlyMap<string, number> = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]));

function symbols(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

/** The symbols of a text's bytes in UTF-8. */
export function symbolsOf(text: string): string {
  if (/^[!-~]*$/.test(text)) return text;
  let result = "";
  for (const byte of Buffer.from(text, "utf8")) result += byteSymbols[byte];
  return result;
}

/** The bytes that a token's symbols stand for; the token's own UTF-8 bytes if not all of its characters are symbols. */
export function bytesOf(token: string): Uint8Array {
  const result: number[] = [];
  for (const symbol of token) {
    const byte = bytes.get(symbol);
    if (byte === undefined) return Buffer.from(token, "utf8");
    result.push(byte);
  }
  return Uint8Array.from(result);
}
