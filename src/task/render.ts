import type { Render } from './prepare.ts';
import { renderTemplate, type RenderOptions } from './template/render.ts';

/**
 * The language's templates as {@link planTask} takes them. Every call draws the same random numbers again, so that a file can be
 * rendered a second time to find places in it.
 * @param options time, and a source of random numbers from 0 up to 1.
 */
export function createRender({ now, random, limits }: RenderOptions): Render {
  const drawn: number[] = [];
  return (text, data) => {
    let next = 0;
    const replay = (): number => (drawn[next++] ??= random());
    return renderTemplate(text, data, { now, random: replay, ...(limits !== undefined && { limits }) });
  };
}
