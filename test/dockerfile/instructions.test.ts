import { describe, expect, it } from 'vitest';
import { readInstructions } from '../../src/dockerfile/instructions.ts';

const read = (text: string): readonly string[] =>
  readInstructions(text).instructions.map(({ keyword, rest, line }) => `${line} ${keyword} ${rest}`);

describe('the instructions of a Dockerfile', () => {
  it.each([
    ['continuation lines are joined', 'RUN a \\\n  b\\\nc\nRUN d', ['1 run a   bc', '4 run d']],
    ['spaces may follow the escape', 'RUN a \\ \t\nb', ['1 run a b']],
    ['comments and empty lines between them', 'RUN a \\\n# x \\\n\n  # y\nb\nRUN c', ['1 run a b', '6 run c']],
    ['a doubled escape ends the line', 'RUN a \\\\\nRUN b', ['1 run a \\\\', '2 run b']],
    ['an escape at the end of the file', 'RUN a \\', ['1 run a']],
    ['a line of one escape', '\\\nRUN a', ['1 run a']],
    ['another escape character', '# escape=`\nRUN c:\\\nRUN a `\nb', ['2 run c:\\', '3 run a b']],
    ['a line for the shell ends directives', '#!x\n# escape=`\nRUN a \\\nb', ['3 run a b']],
    ['an escape directive that is none', '# escape=x\nRUN a \\\nb', ['2 run a b']],
    ['comments are left out', '# a\n  # b\nRUN c # d', ['3 run c # d']],
    ['a keyword alone', 'RUN', ['1 run ']],
    ['CRLF', 'RUN a \\\r\nb\r\nRUN c\r\n', ['1 run a b', '3 run c']],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['a body is no instruction', 'RUN <<EOF\nFROM x\nEOF\nRUN b', ['1 run <<EOF', '4 run b']],
    ['a quoted name', `COPY <<'E F' /x\nRUN\nE F\nRUN b`, ["1 copy <<'E F' /x", '4 run b']],
    ['a name in double quotes', 'RUN <<"EOF"\nx\nEOF\nRUN b', ['1 run <<"EOF"', '4 run b']],
    ['an escaped name', 'RUN <<\\EOF\nx\nEOF\nRUN b', ['1 run <<\\EOF', '4 run b']],
    ['a number in front', 'RUN cat 3<<EOF\nFROM x\nEOF\nRUN b', ['1 run cat 3<<EOF', '4 run b']],
    ['two of them', 'RUN a <<A <<-B\nx\n\tA\nA\n\tB\nRUN b', ['1 run a <<A <<-B', '6 run b']],
    ['continuations do not end a body', 'RUN <<E\na \\\nE\nRUN b', ['1 run <<E', '4 run b']],
    ['CRLF', 'RUN <<E\r\na\r\nE\r\nRUN b', ['1 run <<E', '4 run b']],
    ['in ONBUILD', 'ONBUILD RUN <<E\nFROM x\nE\nRUN b', ['1 onbuild RUN <<E', '4 run b']],
    ['none in quotes', 'RUN "<<EOF"\nRUN b', ['1 run "<<EOF"', '2 run b']],
    ['none in JSON', 'RUN ["cat", "<<EOF"]\nRUN b', ['1 run ["cat", "<<EOF"]', '2 run b']],
    ['what only begins like JSON', 'RUN [ x <<E\nFROM\nE\nRUN b', ['1 run [ x <<E', '4 run b']],
    ['none in arithmetic', 'RUN echo $((1<<2))\nRUN b', ['1 run echo $((1<<2))', '2 run b']],
    ['none without a name', 'RUN a << b\nRUN c', ['1 run a << b', '2 run c']],
    ['none of three', 'RUN a <<<b\nRUN c', ['1 run a <<<b', '2 run c']],
    ['none in other instructions', 'ENV A <<E\nRUN c', ['1 env A <<E', '2 run c']],
    ['none where a quote is open', "RUN don't <<E\nRUN c", ["1 run don't <<E", '2 run c']],
  ])('heredocs: %s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('end with the file where a heredoc has no end', () => {
    const found = readInstructions('FROM a\nRUN <<E\nFROM b\n');
    expect(found.instructions).toHaveLength(2);
    expect(found.openHeredoc).toBe(2);
  });

  it('have their flags taken off', () => {
    const [run] = readInstructions(`RUN --mount="type=bind,from=a b" --network='no'ne --x=\\  cmd --y`).instructions;
    expect(run).toMatchObject({ flags: ['--mount=type=bind,from=a b', '--network=none', '--x= '], rest: 'cmd --y' });
  });
});
