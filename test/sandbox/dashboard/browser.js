// What CloudWatch's console does with a custom widget, as AWS documents it: cleans its HTML, turns each
// cwdb-action into what the element before it does, asks before it acts, and sends the values of all forms.
const token = document.querySelector('meta[name=token]')?.getAttribute('content') ?? '';
const own = document.querySelector('meta[name=widget]')?.getAttribute('content') ?? '';
const widget = find('widget');

/** The event of what is shown now, for Refresh and another theme. */
let shown = {};

function find(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no ${id}`);
  return element;
}

function theme() {
  return document.documentElement.dataset.theme ?? 'light';
}

/** What AWS adds to every event. */
function widgetContext() {
  const all = {};
  for (const form of widget.querySelectorAll('form')) {
    for (const [name, value] of new FormData(form)) all[name] = value;
  }
  return {
    dashboardName: 'certrelay-dev',
    widgetId: 'widget-1',
    accountId: '123456789012',
    locale: 'en',
    timezone: { label: 'UTC', offsetISO: '+00:00', offsetInMinutes: 0 },
    period: 300,
    isAutoPeriod: true,
    timeRange: {
      mode: 'relative',
      start: Date.now() - 10_800_000,
      end: Date.now(),
      relativeStart: 10_800_000,
    },
    theme: theme(),
    linkCharts: true,
    title: 'Certificates',
    forms: { all },
    params: {},
    width: widget.clientWidth,
    height: widget.clientHeight,
  };
}

/** Calls a function with the rights of the person who looks. Answers with what it answered, or an error. */
async function call(endpoint, params) {
  const response = await fetch('/call', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sandbox-token': token },
    body: JSON.stringify({ endpoint, event: { ...params, widgetContext: widgetContext() } }),
  });
  const answer = await response.json();
  if (!response.ok || answer.error !== undefined) throw new Error(answer.error ?? response.statusText);
  return answer.answer;
}

const forbidden = 'script, iframe, use, object, embed, link, meta, base, frame, frameset';

/** The HTML without what CloudWatch takes away. Counts what that was. */
function clean(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const { content } = template;
  let removed = 0;
  for (const element of content.querySelectorAll(forbidden)) {
    element.remove();
    removed += 1;
  }
  for (const element of content.querySelectorAll('*')) {
    for (const name of element.getAttributeNames()) {
      const value = element.getAttribute(name) ?? '';
      const isScript = /^on/i.test(name) || /^\s*(javascript|data|vbscript):/i.test(value);
      if (!isScript && name !== 'srcdoc') continue;
      element.removeAttribute(name);
      removed += 1;
    }
  }
  widget.dataset.removed = String(removed);
  return content;
}

/** Shows HTML, or anything else as JSON, and makes its actions work. */
function show(place, answer) {
  if (typeof answer === 'string') place.replaceChildren(clean(answer));
  else {
    const text = document.createElement('pre');
    text.textContent = JSON.stringify(answer, null, 2);
    place.replaceChildren(text);
  }
  for (const action of place.querySelectorAll('cwdb-action')) {
    const element = action.previousElementSibling;
    const event = action.getAttribute('event') ?? 'click';
    if (element) element.addEventListener(event, () => void act(action));
  }
}

async function act(action) {
  const question = action.getAttribute('confirmation');
  if (question !== null && !(await ask(question))) return;
  const isPopup = action.getAttribute('display') === 'popup';
  const text = action.textContent ?? '';
  try {
    if (action.getAttribute('action') !== 'call') {
      tell(action.innerHTML);
      return;
    }
    const params = text.trim() === '' ? {} : JSON.parse(text);
    const answer = await call(action.getAttribute('endpoint') ?? '', params);
    if (isPopup) {
      tell(answer);
      return;
    }
    shown = params;
    show(widget, answer);
    widget.focus();
  } catch (error) {
    tell({ error: error instanceof Error ? error.message : String(error) });
  }
}

/** Whether the person says yes. */
function ask(question) {
  const dialog = find('question');
  find('question-text').textContent = question;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    dialog.returnValue = '';
  });
}

function tell(answer) {
  show(find('answer-text'), answer);
  find('answer').showModal();
}

async function refresh() {
  document.body.setAttribute('aria-busy', 'true');
  try {
    show(widget, await call(own, shown));
  } catch (error) {
    show(widget, { error: error instanceof Error ? error.message : String(error) });
  }
  document.body.removeAttribute('aria-busy');
}

// A widget's form is never sent by the browser: buttons send its values.
document.addEventListener('submit', (event) => {
  if (widget.contains(event.target)) event.preventDefault();
});
find('refresh').addEventListener('click', () => void refresh());
find('theme').addEventListener('click', () => {
  document.documentElement.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
  void refresh();
});
void refresh();
