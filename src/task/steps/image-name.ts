import { FailureError } from '../../domain/failure.ts';
import { parseImageReference } from '../../domain/image-reference.ts';

/** True for a name that an engine takes for an image. */
export function isImageName(text: string): boolean {
  try {
    parseImageReference(text);
    return true;
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}
