import type { ContainerJson } from './json.ts'

/** What docker-compose writes on a container that it makes. */
export interface ComposeLabels {
  project: string
  service: string
  /** Where it was run, and its files: older versions write neither. */
  directory: string | null
  files: string[]
}

export function composeLabels({ Config }: ContainerJson): ComposeLabels | null {
  const label = (name: string): string => Config.Labels?.[`com.docker.compose.${name}`] ?? ''
  const [project, service] = [label('project'), label('service')]
  if (project === '' || service === '') return null
  const directory = label('project.working_dir') || null
  const files = label('project.config_files').split(',').filter(Boolean)
  const absolute = files.map((file) => (file.startsWith('/') || !directory ? file : `${directory}/${file}`))
  return { project, service, directory, files: absolute }
}

/** Where a `docker compose up` of the container has to be run, or what it has to name. */
export function composeDirectories({ directory, files }: ComposeLabels): string[] {
  const all = [directory ?? '', ...files.map((path) => path.replace(/\/?[^/]*$/, ''))]
  return [...new Set(all)].filter((path) => path.length > 1)
}
