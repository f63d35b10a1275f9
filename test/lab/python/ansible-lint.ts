import { fromPypi } from './pypi.ts'

/** ansible-lint, with the ansible-core that it wants. */
export const buildAnsibleLint = (): Promise<string> => fromPypi('ansible-lint', { lib: 'ansible-lint.txt' })
