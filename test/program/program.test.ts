import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

const node = new URL('../../node_modules/.bin/node', import.meta.url).pathname
const module = new URL('../../agent/program/program.ts', import.meta.url).href

interface Started {
  child: ChildProcess
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>
}

/** A process that runs a command; `isRunOpen` and `program` are there for it. */
function start(command: string): Started {
  const script = `const { Program } = await import('${module}')
    let isRunOpen = false
    const documentOf = ({ code, exitCode }) => ({ code, exitCode })
    const program = new Program({ journald: false, isRunOpen: () => isRunOpen, documentOf })
    await program.run(async () => { ${command} })`
  const child = spawn(node, ['--input-type=module', '-e', script])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    return { code: code as number | null, signal: signal as string | null, stdout, stderr }
  })
  return { child, ended }
}

const run = (command: string) => start(command).ended

it('ends with 0 where the command says nothing else', async () => {
  expect(await run("program.print('a'); program.print('b')")).toMatchObject({ code: 0, stdout: 'a\nb\n' })
})

it('ends with the code that the command says', async () => {
  expect(await run('program.exit(4)')).toMatchObject({ code: 4 })
})

it('ends with 1, and JSON, after an error that nobody expected', async () => {
  const { code, stdout, stderr } = await run('null.x')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '{"code":"internal","exitCode":1}\n' })
  expect(stderr).toMatch(/^calico-agent: internal error: TypeError.*\n +at /)
})

it('has a name for a host without file descriptors', async () => {
  const { code, stdout } = await run("throw Object.assign(new Error('x'), { code: 'EMFILE' })")
  expect({ code, stdout }).toEqual({ code: 3, stdout: '{"code":"no-descriptors","exitCode":3}\n' })
})

it('does not end while a command waits for what never comes', async () => {
  const { child, ended } = start(
    "setTimeout(() => program.log.write('waits\\n'), 50).unref(); await new Promise(() => {})",
  )
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  // a loop without work would have ended by now
  await new Promise((resolve) => setTimeout(resolve, 200))
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM' })
})

it('is a failure where something else ends the process', async () => {
  expect(await run('program.exit(0); process.exit()')).toMatchObject({ code: 1 })
})

const thrown = "setTimeout(() => { throw new Error('nobody waits for this') })"

it('ends by an exception that nobody caught where no run is open', async () => {
  const { code, stdout, stderr } = await run(`${thrown}; await new Promise(() => {})`)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '{"code":"internal","exitCode":1}\n' })
  expect(stderr).toContain('nobody waits for this')
})

it('stops an open run by it, as by a signal, and lets it go back', async () => {
  const { code, stdout, stderr } = await run(`isRunOpen = true
    const signal = program.stops.listen()
    ${thrown}
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    program.print('went back: ' + signal.reason.code)
    program.exit(4)`)
  expect({ code, stdout }).toEqual({ code: 4, stdout: 'went back: internal\n' })
  expect(stderr).toContain('nobody waits for this')
})

it('is a failure after it, also where the command stops as it should: systemd starts the service again', async () => {
  const { code } = await run(`isRunOpen = true
    const signal = program.stops.listen()
    ${thrown}
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    program.exit(0)`)
  expect(code).toBe(1)
})

it('ends where its output is closed', async () => {
  const { child, ended } = start(
    "await new Promise((resolve) => setTimeout(resolve, 100)); program.print('x'.repeat(1e6)); program.exit(3)",
  )
  child.stdout?.destroy()
  expect(await ended).toMatchObject({ code: 3 })
})
