import { FailureError } from '../../domain/failure.ts';
import { parseImageReference } from '../../domain/image-reference.ts';
import { mayHaveOutputs } from '../../domain/output-reference.ts';

/** True for a name that an engine takes for an image, or that will be known only when its step starts. */
export function isImageName(text: string): boolean {
  if (mayHaveOutputs(text)) return true; // told when its step starts
  try {
    parseImageReference(text);
    return true;
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}
