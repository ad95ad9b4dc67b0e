import { cases } from './tell.ts';

const heredocs = { since: 23 };
const last = 'FROM REG/z\n';

/** Heredocs, triggers, front ends, and names on Docker Hub. */
export const textCases = cases('texts', [
  ['a heredoc of RUN', `${last}RUN <<EOF\nFROM REG/no:1\nCOPY --from=REG/no:2 / /\nEOF\nCOPY f /o`, heredocs],
  ['a heredoc of COPY', `${last}COPY <<EOF /o\nFROM REG/no:1\nEOF\nCOPY --from=REG/t:1 /f /p`, heredocs],
  ['a heredoc of ADD', `${last}ADD <<EOF /o\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc in quotes', `${last}COPY <<"EF" /o\nFROM REG/no:1\nEF\nCOPY f /p`, heredocs],
  ['a heredoc in single quotes', `${last}COPY <<'EOF' /o\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc with tabs', `${last}COPY <<-EOF /o\n\tFROM REG/no:1\n\tEOF\nCOPY f /p`, heredocs],
  ['tabs that end nothing', `${last}COPY <<EOF /o\n\tEOF\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['two heredocs', `${last}COPY <<A <<B /o/\nFROM REG/no:1\nA\nFROM REG/no:2\nB\nCOPY f /p`, heredocs],
  ['a heredoc of a descriptor', `${last}RUN true 3<<EOF\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc behind a mount', `${last}RUN --mount=from=REG/t:1,target=/m <<EOF\nFROM REG/no:1\nEOF`, heredocs],
  ['a heredoc and CRLF', `FROM REG/z\r\nCOPY <<EOF /o\r\nFROM REG/no:1\r\nEOF\r\nCOPY f /p\r\n`, heredocs],
  ['a heredoc with continuations', `${last}COPY <<EOF /o\na \\\nEOF\nCOPY --from=REG/t:1 /f /p`, heredocs],
  ['a heredoc in a continued line', `${last}RUN true \\\n <<EOF\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc in an escaped name', `${last}RUN <<\\EOF\nFROM REG/no:1\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc with a comment in it', `${last}COPY <<EOF /o\n# FROM\n\nEOF\nCOPY --from=REG/t:1 /f /p`, heredocs],
  ['a heredoc in a stage that nothing reaches', `FROM REG/a\nRUN <<EOF\nFROM REG/no:1\nEOF\n${last}`, heredocs],
  ['a heredoc with the other escape', `# escape=\`\n${last}COPY <<EOF /o\nFROM REG/no:1 \`\nEOF\nCOPY f /p`, heredocs],
  ['a heredoc without an end', `${last}COPY <<EOF /o\nFROM REG/no:1`, heredocs],
  ['shifts are no heredocs', `${last}RUN echo $((1<<2))\nCOPY --from=REG/t:1 /f /o`, heredocs],
  ['a string of three is no heredoc', `${last}RUN cat <<<EOF\nCOPY --from=REG/t:1 /f /o`, heredocs],
  ['a heredoc in quotes is none', `${last}RUN echo "<<EOF"\nCOPY --from=REG/t:1 /f /o`, heredocs],
  ['a heredoc in JSON is none', `${last}RUN ["/bin/sh", "<<EOF"]\nCOPY --from=REG/t:1 /f /o`, heredocs],
  ['ENV has no heredocs', `${last}ENV A=<<EOF\nCOPY --from=REG/t:1 /f /o`],
  ['LABEL of many lines', `${last}LABEL a=b \\\n  c="FROM REG/no:1" \\\n# FROM\n  d=e\nCOPY f /o`],
  ['a trigger of the base', 'FROM REG/on:1', { triggers: { 'on:1': ['COPY f /o'] } }],
  [
    'triggers of the base, run in a stage',
    'FROM REG/on:1 AS x\nFROM REG/z\nCOPY --from=x /o /o',
    {
      triggers: { 'on:1': ['COPY f /o', 'ENV A=1'] },
    },
  ],
  [
    'triggers of a base that nothing reaches',
    'FROM REG/on:1 AS x\nFROM REG/z',
    { triggers: { 'on:1': ['COPY f /o'] } },
  ],
  [
    'triggers of an image that is copied from',
    'FROM REG/z\nCOPY --from=REG/on:1 /f /o',
    {
      triggers: { 'on:1': ['COPY --from=REG/no:1 /f /o'] },
    },
  ],
  ['a trigger of a stage', 'FROM REG/a AS x\nONBUILD COPY f /o\nFROM x\nCOPY f /p'],
  ['a trigger that is kept', 'FROM REG/a\nONBUILD COPY f /o'],
  ['a trigger that is kept names an image', 'FROM REG/a\nONBUILD RUN --mount=from=REG/no:1,target=/m true'],
  [
    'a trigger that copies from an image',
    'FROM REG/on:1',
    {
      triggers: { 'on:1': ['COPY --from=REG/t:1 /f /o'] },
      ...{ since: 28, expected: ['on:1', 't:1'] },
    },
  ],
  [
    'a trigger that mounts an image',
    'FROM REG/on:1',
    {
      triggers: { 'on:1': ['RUN --mount=from=REG/t:1,target=/m true'] },
      ...{ since: 28, expected: ['on:1', 't:1'] },
    },
  ],
  [
    'a trigger that copies from a stage',
    'FROM REG/a AS tools\nFROM REG/on:1',
    {
      triggers: { 'on:1': ['COPY --from=tools /f /o'] },
      ...{ since: 28, expected: ['a:latest', 'on:1'] },
    },
  ],
  [
    'a trigger of a stage that copies from a stage',
    'FROM REG/t AS t\nFROM REG/a AS x\nONBUILD COPY --from=t /f /o\nFROM x',
    { since: 28, expected: ['a:latest', 't:latest'] },
  ],
  ['triggers run once in a chain', 'FROM REG/on:1 AS x\nFROM x\nCOPY f /p', { triggers: { 'on:1': ['COPY f /o'] } }],
  ['a front end', '# syntax=REG/front:1\nFROM REG/a', { asksFrontEnd: true }],
  ['a front end with spaces and capitals', '#  SYNTAX =  REG/front:1  \nFROM REG/a', { asksFrontEnd: true }],
  ['a front end with CRLF', '# syntax=REG/front:1\r\nFROM REG/a\r\n', { asksFrontEnd: true }],
  ['a front end behind escape', '# escape=`\n# syntax=REG/front:1\nFROM REG/a', { asksFrontEnd: true }],
  ['a front end by its digest', '# syntax=REG/front@<front:1>\nFROM REG/a', { asksFrontEnd: true }],
  ['a front end and more words', '# syntax=REG/front:1 --flag\nFROM REG/a', { asksFrontEnd: true }],
  [
    'a front end that is given',
    'FROM REG/a',
    { arguments: { BUILDKIT_SYNTAX: 'REG/front:1' }, asksFrontEnd: true, since: 23 },
  ],
  ['a front end behind a comment', '# a comment\n# syntax=REG/no:1\nFROM REG/a'],
  ['a front end behind an empty line', '\n# syntax=REG/no:1\nFROM REG/a'],
  ['a front end behind an instruction', 'FROM REG/a\n# syntax=REG/no:1\nCOPY f /o'],
  ['a front end with a byte order mark', '\uFEFF# syntax=REG/front:1\nFROM REG/a', { asksFrontEnd: true, since: 23 }],
  ['a front end in slashes', '// syntax=REG/front:1\nFROM REG/a', { asksFrontEnd: true, since: 24 }],
  [
    'a front end behind a script line',
    '#!/usr/bin/x\n# syntax=REG/front:1\nFROM REG/a',
    { asksFrontEnd: true, since: 23 },
  ],
]);

/** Names on Docker Hub: only an engine that has a mirror of it can say what it finds there. */
export const hubCases = cases('hub', [
  ['a word', 'FROM nowhere-1'],
  ['a word and a tag', 'FROM nowhere-1:20'],
  ['its namespace', 'FROM nowhere/app:1'],
  ['in full', 'FROM docker.io/library/nowhere-1:20'],
  ['by its index', 'FROM index.docker.io/nowhere-1:20'],
  ['a number for FROM', 'FROM REG/a\nFROM 0'],
  ['a stage below', 'FROM REG/a AS y\nFROM nowhere-2 AS x\nFROM y AS nowhere-2\nFROM x'],
  ['a number for a mount', 'FROM REG/a\nFROM REG/b\nRUN --mount=from=0,target=/m true'],
  ['copied from a word', 'FROM REG/a\nCOPY --from=nowhere-3 /f /o'],
  ['mounted from a word', 'FROM REG/a\nRUN --mount=from=nowhere-4:1,target=/m true'],
  ['a name that a stage below bears', 'FROM REG/a\nCOPY --from=nowhere-5 /f /o\nFROM REG/b AS nowhere-5\nFROM REG/c'],
  ['a stage with a tag', 'FROM REG/a AS nowhere-6\nFROM nowhere-6:latest'],
  ['a stage of its name is meant', 'FROM REG/a AS nowhere-7\nFROM nowhere-7\nCOPY f /o'],
  ['a host without a dot', 'FROM host/nowhere:1'],
]).map((one) => ({ ...one, asksHub: true }));
