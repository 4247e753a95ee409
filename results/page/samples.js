// The sample browser: every sample in a line, a choice of them with picture and completions. A page at a time.
const PER_PAGE = 20
const SIGNS = {r: ['✓', 'right'], w: ['✗', 'wrong'], p: ['◐', 'right in part'], n: ['∅', 'no answer found'], t: ['✂', 'truncated'], u: ['?', 'unscored'], '-': ['', 'not run']}
const KINDS = [
  ['all', 'all samples'], ['split', 'rows disagree'], ['lost', 'right → wrong'], ['gained', 'wrong → right'],
  ['wrong', 'wrong'], ['none', 'no answer found'], ['cut', 'truncated'], ['unscored', 'unscored'],
]
const WRONG = 'wpnt'
const loaded = {}
const browser = {kind: 'all', base: '', candidate: '', group: '', search: '', whole: true, page: 0}

function samplesOf(task) {
  return loaded[task] ??= read(`samples-${task}`)
}

function matching(data, places) {
  const {kind, base, candidate, group, search, whole} = browser
  const [field, value] = group ? JSON.parse(group) : [null, null]
  const code = field !== null && data.groups[field] ? data.groups[field].names.indexOf(value) : -1
  const wanted = search.trim().toLowerCase()
  const rows = candidate === '' ? places : [candidate]
  const has = (place, letters) => rows.some(row => letters.includes(data.states[row][place]))
  const tests = {
    all: () => true,
    split: place => places.some(row => data.states[row][place] === 'r') && places.some(row => WRONG.includes(data.states[row][place])),
    lost: place => data.states[base][place] === 'r' && has(place, WRONG),
    gained: place => WRONG.includes(data.states[base][place]) && has(place, 'r'),
    wrong: place => has(place, WRONG), none: place => has(place, 'n') || unparsed(data, rows, place),
    cut: place => has(place, 't'), unscored: place => has(place, 'u'),
  }
  const found = []
  for (let place = 0; place < data.ids.length; place++) {
    if (whole && !data.details[data.ids[place]]) continue
    if (field !== null && data.groups[field] && data.groups[field].codes[place] !== code) continue
    if (!tests[kind](place)) continue
    if (wanted && !searched(data, place).includes(wanted)) continue
    found.push(place)
  }
  return found
}
// A truncated completion without an answer is marked truncated, and is unparsed as well.
const unparsed = (data, rows, place) => rows.some(row => data.states[row][place] === 't' && data.given[row][place] < 0)
function searched(data, place) {
  const detail = data.details[data.ids[place]]
  const texts = detail ? Object.values(detail.completions).map(text => data.texts[text]) : []
  const given = Object.values(data.given).map(row => row[place] < 0 ? '' : data.answers[row[place]])
  return [data.ids[place], data.questions[place], data.targets[place], ...given, ...texts].join('\n').toLowerCase()
}

function card(board, data, pictures, places, place) {
  const id = data.ids[place]
  const detail = data.details[id]
  const groups = Object.values(data.groups).map(group => group.names[group.codes[place]]).filter(Boolean)
  const picture = detail && detail.picture !== null && detail.picture !== undefined ? pictures[detail.picture] : null
  return el('article', {class: picture ? 'card' : 'card bare'},
    picture && el('img', {src: picture, alt: 'the sample’s picture', loading: 'lazy'}),
    el('div', {},
      el('h3', {}, data.questions[place] || id),
      el('p', {class: 'facts'}, 'target ', el('b', {}, data.targets[place]), ` · ${[...groups, id].join(' · ')}`, data.epochs > 1 && ' · first epoch'),
      el('ul', {class: 'answers'}, places.map(row => answerLine(board, data, detail, row, place)))))
}
function answerLine(board, data, detail, row, place) {
  const state = data.states[row][place]
  if (state === '-') return null
  const [sign, word] = SIGNS[state]
  const given = data.given[row][place]
  const line = [
    el('span', {class: `state ${state}`, title: word, role: 'img', 'aria-label': word}, sign), el('span', {}, board.rows[row].name),
    el('span', {class: given < 0 ? 'dim' : ''}, given < 0 ? word : data.answers[given])]
  const text = detail ? detail.completions[row] : undefined
  if (text === undefined) return el('li', {}, el('div', {class: 'line'}, line))
  const more = el('details', {}, el('summary', {class: 'line'}, line))
  more.addEventListener('toggle', () => { if (more.open && more.children.length === 1) more.append(el('pre', {}, data.texts[text] || '(empty completion)')) })
  return el('li', {}, more)
}

// The row that flips are counted from: where training began, else the lowest whole row.
function trainedFrom(board, task, places) {
  const found = board.matrix[''].rows.map(([, base]) => base).find(base => base !== null && places.includes(base))
  const whole = places.filter(place => !board.cells[place][task].partial)
  return found ?? whole[whole.length - 1] ?? places[places.length - 1]
}

function drawSamples(board, task) {
  if (task === null) task = 0
  const data = samplesOf(task)
  const pictures = loaded.pictures ??= read('pictures')
  const places = Object.keys(data.states).map(Number)
  if (!data.ids.length) return replace('samples')
  if (!places.includes(Number(browser.base)) || browser.base === '') browser.base = trainedFrom(board, task, places)
  if (browser.candidate !== '' && !places.includes(Number(browser.candidate))) browser.candidate = ''
  const detailed = Object.keys(data.details).length
  if (!detailed) browser.whole = false
  const list = el('div', {})
  const draw = () => {
    const found = matching(data, places)
    const pages = Math.max(1, Math.ceil(found.length / PER_PAGE))
    browser.page = Math.min(browser.page, pages - 1)
    const start = browser.page * PER_PAGE
    const turn = by => () => { browser.page += by; draw(); document.getElementById('samples').scrollIntoView() }
    list.replaceChildren(
      el('p', {class: 'note', 'aria-live': 'polite', id: 'found'}, `${count(found.length)} of ${count(browser.whole ? detailed : data.ids.length)} samples`),
      el('div', {class: 'cards'}, found.slice(start, start + PER_PAGE).map(place => card(board, data, pictures, places, place))),
      pages > 1 ? el('div', {class: 'pager'},
        el('button', {type: 'button', disabled: browser.page === 0, on: {click: turn(-1)}}, 'Previous'),
        el('span', {class: 'dim'}, `page ${browser.page + 1} of ${pages}`),
        el('button', {type: 'button', disabled: browser.page === pages - 1, on: {click: turn(1)}}, 'Next')) : '')
  }
  const set = key => value => { browser[key] = value; browser.page = 0; controls(); draw() }
  const bar = el('div', {class: 'controls'})
  const search = el('input', {type: 'search', value: browser.search, placeholder: 'text', size: 16, on: {input: () => { browser.search = search.value; browser.page = 0; draw() }}})
  const names = places.map(place => [place, board.rows[place].name])
  const groups = Object.entries(data.groups).flatMap(([field, {names: own}]) => own.map(name => [JSON.stringify([field, name]), `${field}: ${name}`]))
  if (browser.group && !groups.some(([key]) => key === browser.group)) browser.group = ''
  const controls = () => {
    const flips = browser.kind === 'lost' || browser.kind === 'gained'
    const focused = bar.contains(document.activeElement) ? document.activeElement.closest('label')?.dataset.name : null
    const named = (name, label) => { label.dataset.name = name; return label }
    bar.replaceChildren(...[
      board.tasks.length > 1 && el('span', {class: 'dim'}, board.tasks[task].label),
      named('kind', choose('Show', KINDS, browser.kind, set('kind'))),
      flips && named('base', choose('from', names, browser.base, value => set('base')(Number(value)))),
      browser.kind !== 'all' && browser.kind !== 'split' && named('candidate', choose(flips ? 'to' : 'in', [['', 'any row'], ...names], browser.candidate, value => set('candidate')(value === '' ? '' : Number(value)))),
      groups.length > 0 && named('group', choose('Group', [['', 'all'], ...groups], browser.group, set('group'))),
      el('label', {}, 'Search', search),
      detailed > 0 && detailed < data.ids.length && named('whole', el('label', {}, el('input', {type: 'checkbox', checked: browser.whole, on: {change: event => set('whole')(event.target.checked)}}), 'only those with picture and completions')),
    ].filter(Boolean))
    if (focused) bar.querySelector(`[data-name="${focused}"] :is(select, input)`)?.focus()
  }
  controls()
  draw()
  replace('samples', bar, list, el('p', {class: 'note'},
    `${count(detailed)} of ${count(data.ids.length)} samples have their completions here, those on which rows disagree first. `,
    `Completions over ${count(data.longest)} characters lose their middle. `,
    board.picturesLeftOut > 0 && `${count(board.picturesLeftOut)} pictures did not fit into this page. `,
    'bench mistakes LOG and bench view show whole ones.'))
}
