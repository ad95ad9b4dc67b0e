/**
 * A JSON document in a header of the Engine API (`X-Registry-Auth`, `X-Registry-Config`): base64 in the URL alphabet *with* its padding;
 * the engine takes anything else for no credentials at all, without a word.
 */
export function encodeHeader(document: object): string {
  return Buffer.from(JSON.stringify(document)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
