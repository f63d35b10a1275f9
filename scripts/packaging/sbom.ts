import { dirname, join } from 'node:path'
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { readJson } from 'fs-extra/esm'
import parseExpression from 'spdx-expression-parse'
import { type Bundled, bundledPackages } from './bundled.ts'

interface Lock {
  packages: Record<string, { integrity?: string }>
}

const { Builders, Factories, Utils } = Contrib.FromNodePackageJson
const licenseFactory = new Contrib.License.Factories.LicenseFactory(parseExpression)
const builder = new Builders.ComponentBuilder(new Factories.ExternalReferenceFactory(), licenseFactory)

/** What is in the executable, as CycloneDX JSON: the agent, each npm package of the bundle, and Node with its own libraries. */
export async function sbom(root: string, built: string, version: string, epoch: number): Promise<string> {
  const [bundled, lock] = await Promise.all([
    bundledPackages(root, built),
    readJson(join(root, 'package-lock.json')) as Promise<Lock>,
  ])
  const components = new Map(bundled.map((each) => [each.directory, npmComponent(each, lock)]))
  const bom = new Models.Bom({ metadata: new Models.Metadata({ timestamp: new Date(epoch * 1000) }) })
  const agent = await agentComponent(root, version)
  bom.metadata.component = agent
  const node = nodeComponent()
  agent.dependencies.add(node.bomRef)
  for (const component of [...components.values(), node]) bom.components.add(component)
  const manifest = (await readJson(join(root, 'package.json'))) as Pick<Bundled, 'dependencies'>
  link(agent, { directory: '', ...manifest }, components)
  for (const each of bundled) link(components.get(each.directory), each, components)
  const normalize = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
  return `${new Serialize.JsonSerializer(normalize).serialize(bom, { sortLists: true, space: 2 })}\n`
}

async function agentComponent(root: string, version: string): Promise<Models.Component> {
  const { name, description, license } = (await readJson(join(root, 'package.json'))) as Record<
    string,
    string
  >
  return new Models.Component(Enums.ComponentType.Application, name ?? '', {
    bomRef: `calico-agent@${version}`,
    version,
    description,
    licenses: new Models.LicenseRepository([licenseFactory.makeFromString(license ?? '')]),
  })
}

function npmComponent(bundled: Bundled, lock: Lock): Models.Component {
  const { directory, name, version } = bundled
  const component = builder.makeComponent(bundled)
  if (component === undefined) throw new Error(`cannot describe ${directory}: its package.json has no name`)
  component.purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  component.bomRef.value = directory
  const { integrity } = lock.packages[directory] ?? {}
  if (integrity === undefined)
    throw new Error(`cannot describe ${directory}: package-lock.json has no hash of it`)
  component.hashes.set(...Utils.parsePackageIntegrity(integrity))
  return component
}

/** Of what Node says that it has: its interfaces, which are no libraries. */
const interfaces = ['node', 'modules', 'napi', 'unicode']

/** The Node of this process is the pinned one: what it has built in is what it says of itself. */
function nodeComponent(): Models.Component {
  const { node } = process.versions
  const libraries = Object.entries(process.versions).filter(([name]) => !interfaces.includes(name))
  return new Models.Component(Enums.ComponentType.Platform, 'node', {
    bomRef: `node@${node}`,
    version: node,
    purl: `pkg:generic/node@${node}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:*:*:*:*`,
    components: new Models.ComponentRepository(libraries.map(([name, version]) => library(name, version))),
  })
}

const library = (name: string, version = ''): Models.Component =>
  new Models.Component(Enums.ComponentType.Library, name, { bomRef: `node/${name}@${version}`, version })

/** What a package depends on, as far as it is in the bundle. */
function link(
  component: Models.Component | undefined,
  { directory, dependencies = {} }: Pick<Bundled, 'directory' | 'dependencies'>,
  components: Map<string, Models.Component>,
): void {
  for (const name of Object.keys(dependencies)) {
    const found = resolveFrom(directory, name).find((path) => components.has(path))
    const dependency = found === undefined ? undefined : components.get(found)
    if (dependency) component?.dependencies.add(dependency.bomRef)
  }
}

/** Where Node looks for a package, the nearest first. */
function resolveFrom(directory: string, name: string): string[] {
  const here = join(directory, 'node_modules', name)
  return directory === '' || directory === '.' ? [here] : [here, ...resolveFrom(parentOf(directory), name)]
}

/** The directory whose node_modules has this package. */
function parentOf(directory: string): string {
  const parent = dirname(directory)
  return parent.endsWith('node_modules') ? dirname(parent) : parentOf(parent)
}
