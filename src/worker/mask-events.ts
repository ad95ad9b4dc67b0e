import { maskDependencies } from '../domain/dependency-document.ts';
import type { RunEvent } from '../domain/event.ts';
import { withholdSecrets } from '../engine/outputs.ts';

/** An event with every secret masked in what goes to the log, to the record's messages, and into the names of images. */
function maskEvent(event: RunEvent, mask: (text: string) => string): RunEvent {
  switch (event.kind) {
    case 'output':
      return { ...event, text: mask(event.text) };
    case 'step-ended':
    case 'try-ended':
      if (event.outcome.kind === 'succeeded') return { ...event, outcome: withholdSecrets(event.outcome, mask) };
      if (event.outcome.kind !== 'failed') return event;
      return { ...event, outcome: { ...event.outcome, message: mask(event.outcome.message) } };
    case 'dependencies-found':
      return { ...event, dependencies: maskDependencies(event.dependencies, mask) };
    case 'run-ended':
      return event.message === undefined ? event : { ...event, message: mask(event.message) };
    default:
      return event;
  }
}

/** Masks what is emitted. */
export function maskEvents(emit: (event: RunEvent) => void, mask: (text: string) => string): (event: RunEvent) => void {
  return (event) => {
    emit(maskEvent(event, mask));
  };
}
