import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

/** Third-party packages that one room owns, so that replacing one is a change of one folder (DESIGN.md §3). */
const confined = {
  dockerode: ['src/runner/docker'],
  '@grpc/grpc-js': ['src/runner/docker'],
  bullmq: ['src/queue'],
  'simple-git': ['src/source'],
  yaml: ['src/task', 'src/cli'],
  express: ['src/http'],
  commander: ['src/cli'],
};

/** The restriction as it holds inside `room`: every confined package that the room does not own. */
function restrictImports(room) {
  const names = Object.keys(confined).filter((name) => !confined[name].includes(room));
  const paths = names.map((name) => ({ name, message: `Only ${confined[name].join(' and ')} may import ${name}.` }));
  const env = { name: 'node:process', importNames: ['env'], message: 'Only src/config.ts reads the environment.' };
  return { 'no-restricted-imports': ['error', { paths: [...paths, env] }] };
}

const owners = [...new Set(Object.values(confined).flat())];
const environment = { object: 'process', property: 'env', message: 'Only src/config.ts reads the environment.' };
const numbers = { allowNumber: true };

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'test/**/fixtures/', 'examples/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['vitest.config.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/prefer-optional-chain': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      // An async function that awaits nothing still never throws synchronously, which is what a port promises.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', numbers],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    rules: {
      complexity: ['error', 10],
      eqeqeq: 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 50],
      'max-params': ['error', 4],
      'no-control-regex': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**', 'workers/**'],
    rules: { ...restrictImports(''), 'no-restricted-properties': ['error', environment] },
  },
  ...owners.map((room) => ({ files: [`${room}/**`], rules: restrictImports(room) })),
  { files: ['src/config.ts', 'src/cli/*.mjs'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/cli/**', 'bench/**', 'test/setup/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      complexity: 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
