// The pages of the agent in Chromium: laid out, read by its accessibility tree, and looked at by axe.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import axe from 'axe-core'
import { type Browser, launch, type Page, type SerializedAXNode } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pages } from './pages.ts'

const inPage = join(import.meta.dirname, 'in-page.js')

let browser: Browser
beforeAll(async () => {
  // root has no sandbox in Chromium; the pages are the agent's own
  browser = await launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] })
})
afterAll(() => browser.close())

type Scheme = 'light' | 'dark'

async function shown(html: string, width: number, scheme: Scheme): Promise<Page> {
  const page = await browser.newPage()
  await page.setViewport({ width, height: 800 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await page.setContent(html)
  await page.evaluate(axe.source)
  await page.evaluate(await readFile(inPage, 'utf8'))
  return page
}

const all = (node: SerializedAXNode): SerializedAXNode[] => [node, ...(node.children ?? []).flatMap(all)]

const rulesBroken = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`

describe.each(Object.keys(pages))('the page of %s', (name) => {
  const looks = [360, 1280].flatMap((width) =>
    (['light', 'dark'] as const).map((scheme) => [width, scheme] as const),
  )

  it.each(looks)('is readable at %i px, %s', async (width, scheme) => {
    const made = await pages[name]?.()
    const page = await shown(made?.html ?? '', width, scheme)
    for (const fault of ['overflow', 'textsOutside', 'textsCrossing', 'contrasts'])
      expect(await page.evaluate(`faults.${fault}()`), fault).toEqual([])
    expect(await page.evaluate(rulesBroken)).toEqual([])
    await page.close()
  })

  it('names its host, and each of its parts to a screen reader', async () => {
    const { html, host } = (await pages[name]?.()) ?? { html: '', host: '' }
    const page = await shown(html, 1280, 'light')
    expect(await page.title()).toContain(host)
    const tree = await page.accessibility.snapshot({ interestingOnly: false })
    const nodes = tree === null ? [] : all(tree)
    const of = (...roles: string[]) => nodes.filter(({ role }) => roles.includes(role))
    expect(of('heading')[0]?.name).toContain(host)
    expect(of('image', 'img').length).toBeGreaterThan(0)
    expect(of('table').length).toBeGreaterThan(0)
    for (const { role, name } of of('image', 'img', 'table', 'columnheader', 'rowheader')) {
      expect(name, role).toMatch(/\w/)
    }
    const rows = of('row').length - of('table').length
    expect(of('rowheader')).toHaveLength(rows)
    await page.close()
  })

  it('is printed dark on white, whatever the screen is', async () => {
    const made = await pages[name]?.()
    const page = await shown(made?.html ?? '', 800, 'dark')
    const ground = 'getComputedStyle(document.body).backgroundColor'
    expect(await page.evaluate(ground)).not.toBe('rgb(255, 255, 255)')
    await page.emulateMediaType('print')
    expect(await page.evaluate(ground)).toBe('rgb(255, 255, 255)')
    await page.close()
  })
})

it('tells each moment of the window to a screen reader', async () => {
  const page = await shown((await pages['upgraded']?.())?.html ?? '', 1280, 'light')
  const tree = await page.accessibility.snapshot({ interestingOnly: false })
  const drawing = (tree === null ? [] : all(tree)).find(({ description }) => description?.includes('KILL'))
  expect(drawing?.name).toBe('The restart window of 90 s')
  const words = ['KILL', 'new BIRD up', 'sessions back', 'recovered', 'settled', 'commit']
  expect(drawing?.description).toMatch(new RegExp(words.map((word) => `${word} at [\\d.]+ s`).join(', ')))
  await page.close()
})

it('finds what is wrong with a page', async () => {
  const bad = `<style>:root{--page:#fff;--track:#eee}</style><div style="width:900px">wide</div>
    <p style="width:2em;white-space:nowrap">longer than its box</p>
    <svg><text y="20">one</text><text y="22">two</text><rect class="fill-none" width="9" height="9" fill="#ddd"/></svg>`
  const page = await shown(`<main>${bad}</main>`, 360, 'light')
  for (const fault of ['overflow', 'textsOutside', 'textsCrossing', 'contrasts'])
    expect(await page.evaluate(`faults.${fault}()`), fault).not.toEqual([])
  expect(await page.evaluate(rulesBroken)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^html-has-lang/)]),
  )
  await page.close()
})
