import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputPlaceholder, replaceOutputs } from '../../src/domain/output-reference.ts';
import { secureScript } from '../../src/task/shell/secure-script.ts';

const first = outputPlaceholder({ step: 'a', name: 'b' });
const second = outputPlaceholder({ step: 'my-step', name: 'x_y' });
const fill = (text: string): string => text.replaceAll('@1', first).replaceAll('@2', second);

function secured(text: string): string {
  const result = secureScript(fill(text));
  if (!result.ok) throw new Error(result.message);
  return result.secured.script;
}

/** What a real shell makes of a secured script when the outputs have these values. */
function runScript(text: string, value: string): string {
  const result = secureScript(fill(text));
  if (!result.ok) throw new Error(result.message);
  const env = result.secured.env.map((one) => [one.name, replaceOutputs(one.value, () => value)] as const);
  const { stdout } = spawnSync('/bin/sh', ['-c', result.secured.script], {
    env: Object.fromEntries(env),
    encoding: 'utf8',
  });
  return stdout;
}

const hostile = [
  '$(echo harm)',
  '`echo harm`',
  '"; echo harm; "',
  "'; echo harm; '",
  '\n echo harm',
  '${PATH} $HOME \\',
  '* ? [a] ~',
  '-n',
  '&& echo harm #',
  first,
];

describe('a secured script', () => {
  it.each([
    ['echo @1', 'echo "${SLIPWAY_VALUE_1}"'],
    ['echo "x @1 y"', 'echo "x ${SLIPWAY_VALUE_1} y"'],
    ["echo 'x @1 y'", `echo 'x '"\${SLIPWAY_VALUE_1}"' y'`],
    ['echo @1 @2 @1', 'echo "${SLIPWAY_VALUE_1}" "${SLIPWAY_VALUE_2}" "${SLIPWAY_VALUE_1}"'],
    ['echo "it\'s" @1', 'echo "it\'s" "${SLIPWAY_VALUE_1}"'],
    ["echo 'a \" b' @1", `echo 'a " b' "\${SLIPWAY_VALUE_1}"`],
    ['echo "$(cat @1 "@1") @1"', 'echo "$(cat "${SLIPWAY_VALUE_1}" "${SLIPWAY_VALUE_1}") ${SLIPWAY_VALUE_1}"'],
    ['(echo @1) && echo "@1)"', '(echo "${SLIPWAY_VALUE_1}") && echo "${SLIPWAY_VALUE_1})"'],
    ['echo \\" @1', 'echo \\" "${SLIPWAY_VALUE_1}"'],
    ["echo '\\' @1", `echo '\\' "\${SLIPWAY_VALUE_1}"`],
    ["# it's\necho @1", '# it\'s\necho "${SLIPWAY_VALUE_1}"'],
    ["echo a#b's' @1", 'echo a#b\'s\' "${SLIPWAY_VALUE_1}"'],
    ['echo `date` @1', 'echo `date` "${SLIPWAY_VALUE_1}"'],
    ["echo '`' @1", 'echo \'`\' "${SLIPWAY_VALUE_1}"'],
    ['case x in a) echo @1;; esac', 'case x in a) echo "${SLIPWAY_VALUE_1}";; esac'],
    ['evaluate @1; lets go', 'evaluate "${SLIPWAY_VALUE_1}"; lets go'],
    ["grep 'x$' @1", `grep 'x$' "\${SLIPWAY_VALUE_1}"`],
  ])('%s', (text, expected) => {
    expect(secured(text)).toBe(expected);
  });

  it('stays as it is without outputs, whatever is in it', () => {
    expect(secureScript('eval $(x) <<E')).toEqual({ ok: true, secured: { script: 'eval $(x) <<E', env: [] } });
  });

  it.each([
    ['eval echo @1', 'a script with eval'],
    ['x; eval "@1"', 'a script with eval'],
    ['trap "echo @1" EXIT', 'a script with trap'],
    ['sh -c "echo @1"', 'a script with a shell of its own'],
    ['/bin/bash -o pipefail -ec "echo @1"', 'a script with a shell of its own'],
    ['su user -c "echo @1"', 'a script with a shell of its own'],
    ['echo $((1 + @1))', 'a script with arithmetic'],
    ['echo $[@1]', 'a script with arithmetic'],
    ['let x=@1', 'a script with arithmetic'],
    ['declare -i x=@1', 'a script with arithmetic'],
    ['[[ @1 -gt 3 ]]', 'a script with arithmetic'],
    ['cat <<E\n@1\nE', 'a script with a here-document'],
    ['echo `cat @1`', 'this place of a script'],
    ["echo $'a' @1", 'this place of a script'],
    ['echo \\@1', 'this place of a script'],
    ['echo "\\@1"', 'this place of a script'],
    ['echo $@1', 'this place of a script'],
    ['echo ${@1}', 'this place of a script'],
    ['echo # @1', 'this place of a script'],
  ])('is refused: %s', (text, where) => {
    expect(secureScript(fill(text))).toEqual({ ok: false, message: `an output cannot stand in ${where}` });
  });

  it.each(hostile)('prints %j and runs nothing of it', (value) => {
    const forms = [
      'printf "%s|" @1',
      'printf "%s|" "@1"',
      "printf '%s|' '@1'",
      'x=@1; printf "%s|" "$x"',
      'printf "%s|" "$(printf %s @1)"',
    ];
    for (const form of forms) expect(runScript(form, value)).toBe(`${value}|`);
    expect(runScript("printf '%s|@1|' x", 'plain')).toBe('x|plain|');
  });

  it('has no placeholder left and keeps to its size, whatever the script is', () => {
    const piece = fc.constantFrom(
      '@1',
      '@2',
      "'",
      '"',
      '\\',
      '$(',
      ')',
      '(',
      '`',
      '#',
      ' ',
      '\n',
      'echo',
      '${',
      '}',
      '$',
      '[[ ',
      ' -eq ',
      'sh -c ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const result = secureScript(fill(pieces.join('')));
        if (result.ok) expect(result.secured.script).not.toContain('slipway.output.');
        else expect(result.message).toMatch(/^an output cannot stand in /);
      }),
    );
  });

  it('is made in linear time', () => {
    for (const piece of ['sh ', '[[ ', '$(', '"@1" ', "' ", 'sh - '])
      secureScript(fill(`@1 ${piece.repeat(Math.floor(120_000 / fill(piece).length))}`));
  });
});
