import { argumentCases } from './cases-arguments.ts';
import { nameCases } from './cases-names.ts';
import { platformCases } from './cases-platforms.ts';
import { stageCases } from './cases-stages.ts';
import { hubCases, textCases } from './cases-texts.ts';
import type { CorpusCase } from './case.ts';
import { generateCases } from './generate.ts';

/** Every Dockerfile that BuildKit's resolution is compared on. */
export const corpus: readonly CorpusCase[] = [
  ...nameCases,
  ...argumentCases,
  ...platformCases,
  ...stageCases,
  ...textCases,
  ...hubCases,
  ...generateCases(150),
];
