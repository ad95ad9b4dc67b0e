import { mayHaveOutputs } from '../../domain/output-reference.ts';
import type { Located } from '../yaml/fields.ts';
import { isImageName } from './image-name.ts';
import type { TaskScope } from './scope.ts';

/** The images of a push step: `:latest` is added where there is neither ":" nor "@", and each is pushed once (acr-tasks.md §1.6). */
export function readPush(items: readonly Located<string>[], { report }: TaskScope): readonly string[] {
  const images = items.map(({ value, at }) => {
    const image = /[:@]/.test(value) || mayHaveOutputs(value) ? value : `${value}:latest`;
    if (value === '') report.error(at, 'image-name', 'push has an empty item');
    else if (!isImageName(image))
      report.warn(at, 'image-name', `${JSON.stringify(image.slice(0, 120))} is no image name; the push will fail`);
    return image;
  });
  return [...new Set(images)];
}
