// Elements. Text only ever becomes a text node: nothing here parses markup.
const SVG = 'http://www.w3.org/2000/svg'

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue
    if (name === 'on') for (const [event, action] of Object.entries(value)) element.addEventListener(event, action)
    else if (name === 'vars') for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to)
    else element.setAttribute(name, value === true ? '' : value)
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue
    element.append(child instanceof Node ? child : visible(String(child)))
  }
  return element
}
const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children)
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children)

// Control codes (ANSI colours begin with one) and marks that turn the reading direction are shown, not obeyed.
function visible(text) {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, c => c === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, c => `\u27e8U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`)
}

const read = id => JSON.parse(document.getElementById(id).textContent)
const body = id => document.querySelector(`#${id} .body`)
function replace(id, ...children) {
  const section = document.getElementById(id)
  const shown = children.flat(Infinity).filter(Boolean)
  section.hidden = shown.length === 0
  body(id).replaceChildren(...shown)
}

const percent = (share, digits = 1) => share === null || share === undefined ? '–' : (100 * share).toFixed(digits)
const whole = share => share === null || share === undefined ? '–' : `${Math.round(100 * share)}%`
const signed = (share, digits = 1) => (share > 0 ? '+' : share < 0 ? '−' : '±') + Math.abs(100 * share).toFixed(digits)
const count = n => n.toLocaleString('en')
const pText = p => p === null || p === undefined ? '–' : p < 0.001 ? '< .001' : p.toFixed(3).replace(/^0/, '')
function seconds(s) {
  if (s === null || s === undefined) return '–'
  return s < 100 ? `${s.toFixed(s < 10 ? 1 : 0)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`
}
function parameters(n) {
  if (!n) return '–'
  for (const [size, unit] of [[1e9, 'B'], [1e6, 'M'], [1e3, 'K']]) if (n >= size) return Number((n / size).toPrecision(3)) + unit
  return String(n)
}

const scroll = (label, ...children) => el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label}, ...children)

// options: [[value, text], …]
function choose(label, options, value, changed) {
  const select = el('select', {on: {change: () => changed(select.value)}},
    options.map(([key, text]) => el('option', {value: key, selected: String(key) === String(value)}, text)))
  return el('label', {}, label, select)
}
function buttons(label, options, value, changed) {
  return el('div', {class: 'set', role: 'group', 'aria-label': label}, options.map(([key, text]) =>
    el('button', {type: 'button', 'aria-pressed': String(key === value), on: {click: () => changed(key)}}, text)))
}
