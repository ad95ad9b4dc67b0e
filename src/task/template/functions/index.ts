import { builtinFunctions } from './builtins.ts';
import { caseFunctions, wordFunctions } from './cases.ts';
import { comparisonFunctions } from './comparison.ts';
import { dateFunctions } from './dates.ts';
import { defaultFunctions } from './defaults.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { jsonFunctions } from './json.ts';
import { listFunctions } from './lists.ts';
import { mathFunctions } from './math.ts';
import { pathFunctions } from './paths.ts';
import { randomFunctions } from './random.ts';
import { reflectionFunctions } from './reflection.ts';
import { refusedFunctions } from './refused.ts';
import { regexFunctions } from './regex.ts';
import { stringFunctions } from './strings.ts';
import { urlFunctions } from './urls.ts';
import { versionFunctions } from './versions.ts';
import { wrappingFunctions } from './wrapping.ts';
import { costly, type TemplateFunction } from './define.ts';

/** Every function of the language by name: Go's own, those of Sprig 2.22, and useful ones of later releases. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({
    ...costly(6, builtinFunctions),
    ...comparisonFunctions,
    ...costly(4, stringFunctions),
    ...costly(8, caseFunctions),
    ...costly(24, wordFunctions),
    ...costly(4, wrappingFunctions),
    ...defaultFunctions,
    ...listFunctions,
    ...dictFunctions,
    ...jsonFunctions,
    ...mathFunctions,
    ...costly(6, dateFunctions),
    ...costly(4, encodingFunctions),
    ...regexFunctions,
    ...costly(8, randomFunctions),
    ...reflectionFunctions,
    ...versionFunctions,
    ...pathFunctions,
    ...costly(8, urlFunctions),
    ...refusedFunctions,
  }),
);
