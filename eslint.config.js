import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '.cache/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // What an operator or another program puts under a name may be a FIFO, a device or endless.
    files: ['agent/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        ...['node:fs', 'node:fs/promises'].map((name) => ({
          name,
          importNames: ['createReadStream', 'open', 'openSync', 'readFile', 'readFileSync'],
          message: 'Read by agent/adapters/read-file.ts, which waits for no FIFO and stops at a size.',
        })),
      ],
    },
  },
  {
    // They open to write, to lock, or what the kernel alone has.
    files: [
      'agent/adapters/{atomic-file,clock,read-file}.ts',
      'agent/adapters/host-lock/*.ts',
      'agent/adapters/cni-binaries/{attributes,reader,staging}.ts',
      'agent/report/output.ts',
    ],
    rules: { 'no-restricted-imports': 'off' },
  },
)
