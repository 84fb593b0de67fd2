/** What a format should make of a message, byte by byte and by the book. */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Characters as Go's utf8.DecodeRune finds them: what is none is U+FFFD, a byte each. */
export function goCharacters(bytes: Uint8Array): string[] {
  const characters: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    characters.push(character?.text ?? "\ufffd");
    at += character?.bytes ?? 1;
  }
  return characters;
}

function characterAt(bytes: Uint8Array, at: number) {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      return { text: strict.decode(bytes.subarray(at, at + length)), bytes: length };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return undefined;
}

/** A JSON string as the writer of Docker's json-file makes it. */
export function dockerString(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    text += character === undefined ? "\\ufffd" : dockerEscape(character.text);
    at += character?.bytes ?? 1;
  }
  return `"${text}"`;
}

function dockerEscape(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === '"' || character === "\\") return `\\${character}`;
  return character < " " || "<>&\u2028\u2029".includes(character)
    ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
    : character;
}
