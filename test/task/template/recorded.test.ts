import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../src/task/template/render.ts';

interface Recorded {
  readonly data: unknown;
  readonly families: Readonly<Record<string, readonly (readonly [template: string, text: string | null])[]>>;
}

const file = new URL('fixtures/recorded.json', import.meta.url);
const { data, families } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const options = { now: Date.UTC(2026, 0, 2, 3, 4, 5), random: () => 0.5 };

/** The text, or null where the template does not render. */
function outcome(template: string): string | null {
  const result = renderTemplate(template, data, options);
  return result.ok ? result.text : null;
}

describe('templates, held against a recording of Go and Sprig', () => {
  it('has a table for each family', () => {
    expect(Object.keys(families).length).toBeGreaterThanOrEqual(16);
  });

  describe.each(Object.entries(families))('%s', (_family, cases) => {
    it.each(cases)('%j renders as recorded', (template, text) => {
      expect(outcome(template)).toBe(text);
    });
  });
});
