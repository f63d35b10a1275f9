/**
 * Who may import whom under agent/. What has no row, agent/composition.ts, imports everything: it is the composition root.
 * `packages` says whether npm packages and node: builtins are allowed, as values or as types.
 */

const layers = {
  // semver is as pure as core itself.
  core: { to: ['core/', 'node_modules/semver/'], packages: false },
  ports: { to: ['ports/', 'core/'], packages: false },
  observe: { to: ['observe/', 'core/', 'ports/'], packages: false },
  steps: { to: ['steps/', 'core/', 'ports/'], packages: false },
  engine: { to: ['engine/', 'core/', 'ports/', 'journal/', 'steps/'], packages: false },
  journal: { to: ['journal/', 'core/', 'ports/', 'adapters/atomic-file[./]'], packages: true },
  // Each adapter is a layer of its own: docker.ts and docker/ do not know bird.ts.
  adapters: {
    from: 'adapters/([^/.]+)[./]',
    to: [
      'adapters/$1[./]',
      'adapters/(atomic-file|deadline|file-error|program-error|read-file|run-program|http|ip)[./]',
      'core/',
      'ports/',
    ],
    packages: true,
  },
  config: { to: ['config/', 'core/'], packages: true },
  report: { to: ['report/', 'core/'], packages: true },
  // upgrade, rollback, resume and the others, each told from start to end.
  stories: {
    to: ['stories/', 'core/', 'ports/', 'config/', 'observe/', 'steps/', 'engine/', 'journal/', 'report/'],
    packages: true,
  },
  commands: {
    to: ['commands/', 'service/', 'stories/', 'core/', 'ports/', 'config/', 'report/'],
    packages: true,
  },
  // The process itself: signals, exit, the runs that an exit must wait for.
  program: { to: ['program/', 'core/', 'engine/', 'journal/', 'ports/', 'report/'], packages: true },
  service: { to: ['service/', 'stories/', 'core/', 'ports/', 'config/', 'report/'], packages: true },
}

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, { from = `${layer}/`, to, packages }]) => ({
      name: `layer-${layer}`,
      comment: 'The table in .dependency-cruiser.cjs says what this layer may import.',
      severity: 'error',
      from: { path: `^agent/${from}` },
      to: {
        // Packages and builtins have paths outside agent/.
        ...(packages && { path: '^agent/' }),
        pathNot: to.map((path) => (path.startsWith('node_modules/') ? `^${path}` : `^agent/${path}`)),
      },
    })),
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'main-is-the-root',
      comment: 'What others need of agent/main.ts stands in a module of its own.',
      severity: 'error',
      from: {},
      to: { path: '^agent/main[.]ts$' },
    },
    {
      name: 'agent-ships-alone',
      severity: 'error',
      from: { path: '^agent/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'agent-ships-without-dev-dependencies',
      severity: 'error',
      from: { path: '^agent/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types count too.
    tsPreCompilationDeps: true,
  },
}
