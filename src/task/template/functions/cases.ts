import { sliceBytes, byteLength } from '../text/bytes.ts';
import {
  isLower,
  isSpace,
  isTitle,
  isUpper,
  lowerChar,
  runes,
  toLower,
  toUpper,
  upperChar,
} from '../text/characters.ts';
import { joinWords, toCamelCase } from '../text/words.ts';
import { fn, type FunctionTable } from './define.ts';

/** `strings.Title`: a capital after everything that is no letter, digit or underscore. */
function toTitle(text: string): string {
  let previous = ' ';
  return runes(text)
    .map((char) => {
      const begins = /^[\x00-\x7f]$/.test(previous) ? !/[A-Za-z0-9_]/.test(previous) : isSpace(previous);
      previous = char;
      return begins ? upperChar(char) : char;
    })
    .join('');
}

/** Lower case for the first letter of each word. */
function untitle(text: string): string {
  let begins = true;
  return runes(text)
    .map((char) => {
      if (isSpace(char)) begins = true;
      else if (begins) {
        begins = false;
        return lowerChar(char);
      }
      return char;
    })
    .join('');
}

function swapCase(text: string): string {
  return runes(text)
    .map((char) => {
      if (isUpper(char) || isTitle(char)) return lowerChar(char);
      return isLower(char) ? upperChar(char) : char;
    })
    .join('');
}

function initials(text: string): string {
  let begins = true;
  let result = '';
  for (const char of text) {
    if (!isSpace(char) && begins) result += char;
    begins = isSpace(char);
  }
  return result;
}

/** Cuts at `width` bytes, three of which are the dots; `offset` bytes are left out on the left when it is more than 4. */
function abbreviate(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (text === '' || width < 4) return '';
  if (length <= width) return text;
  const room = width - 3;
  const start = Math.max(0, Math.min(offset, length, length - room));
  if (start <= 4) return `${sliceBytes(text, 0, room)}...`;
  if (width < 7) return '';
  if (start + room < length) return `...${abbreviate(sliceBytes(text, start), 0, room)}`;
  return `...${sliceBytes(text, length - room)}`;
}

/** Sprig's functions on the case of strings, and on their length in words. */
export const caseFunctions: FunctionTable = {
  upper: fn(['string'], ([text]) => toUpper(text)),
  lower: fn(['string'], ([text]) => toLower(text)),
  title: fn(['string'], ([text]) => toTitle(text)),
  untitle: fn(['string'], ([text]) => untitle(text)),
  swapcase: fn(['string'], ([text]) => swapCase(text)),
  initials: fn(['string'], ([text]) => initials(text)),
  abbrev: fn(['int', 'string'], ([width, text]) => (width < 4 ? text : abbreviate(text, 0, width))),
  abbrevboth: fn(['int', 'int', 'string'], ([left, right, text]) =>
    right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right),
  ),
};

/** Sprig's functions that join words. */
export const wordFunctions: FunctionTable = {
  snakecase: fn(['string'], ([text]) => joinWords(text, '_')),
  kebabcase: fn(['string'], ([text]) => joinWords(text, '-')),
  camelcase: fn(['string'], ([text]) => toCamelCase(text)),
};
