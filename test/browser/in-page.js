// Run in the page, beside axe: what only a browser that has laid the page out can tell. A text is a list of its faults.

const { color } = globalThis.axe.commons

const colorOf = (text) => {
  const parsed = new color.Color()
  parsed.parseString(text)
  return parsed
}

const varOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const isShown = (element) => element.checkVisibility()

/** Elements with text of their own. */
const texts = () =>
  [...document.body.querySelectorAll('*')].filter(
    (element) =>
      isShown(element) &&
      !['TITLE', 'DESC', 'STYLE'].includes(element.tagName.toUpperCase()) &&
      [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== '',
      ),
  )

const BLOCKS = 'svg, div, th, td, li, p, dd, dt, caption, h1, h2, h3'

const boxesOf = (element) => {
  const range = document.createRange()
  range.selectNodeContents(element)
  return [...range.getClientRects()]
}

const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1

const crossing = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom

globalThis.faults = {
  overflow() {
    const { scrollWidth, clientWidth } = document.documentElement
    return scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide, and its window ${clientWidth}`] : []
  },

  /** A text of a drawing belongs into its figure, any other into its block. */
  textsOutside() {
    return texts().flatMap((element) => {
      const place = element.closest('figure') ?? element.closest(BLOCKS)
      const box = place.getBoundingClientRect()
      return boxesOf(element)
        .filter((rect) => !inside(rect, box))
        .map(
          (rect) =>
            `${element.textContent}: from ${rect.left} to ${rect.right}, not in ${box.left} to ${box.right}`,
        )
    })
  },

  textsCrossing() {
    const drawn = [...document.querySelectorAll('svg text')].filter(isShown)
    return drawn.flatMap((one, i) =>
      drawn
        .slice(i + 1)
        .filter((other) => crossing(one.getBoundingClientRect(), other.getBoundingClientRect()))
        .map((other) => `${one.textContent} crosses ${other.textContent}`),
    )
  },

  /** axe looks at no text of a drawing: 4.5 to 1 with what may be below it, and 3 to 1 for what is no text. */
  contrasts() {
    const page = colorOf(varOf('--page'))
    const track = colorOf(varOf('--track'))
    const low = (element, least, grounds) =>
      grounds
        .map((ground) => color.getContrast(ground, colorOf(getComputedStyle(element).fill)))
        .filter((contrast) => contrast < least)
        .map((contrast) => `${element.outerHTML}: ${contrast.toFixed(2)}`)
    return [
      ...[...document.querySelectorAll('svg text, svg tspan')].flatMap((text) =>
        low(text, 4.5, [page, track]),
      ),
      ...[...document.querySelectorAll('rect[class^=fill]')].flatMap((rect) => low(rect, 3, [page, track])),
    ]
  },
}
