// What the tag of templates makes of text that somebody else wrote.
import { describe, expect, it } from 'vitest';
import { html, htmlJson } from '../../lib/dashboard/html.ts';

describe('html', () => {
  it.each([
    ['<b>&amp;</b>', '&lt;b&gt;&amp;amp;&lt;/b&gt;'],
    [`"a" 'b' \`c\``, '&quot;a&quot; &#39;b&#39; &#96;c&#96;'],
    ['\u001b[31m\r\n\u0000', '\ufffd[31m\ufffd\ufffd\ufffd'],
    ['\u202e\u2066\u200b\u061c\u2028\u00ad', '\ufffd'.repeat(6)],
    ['\ud800', '\ufffd'],
    ['Zürich 東京', 'Zürich 東京'],
    [0, '0'],
    [undefined, ''],
  ])('writes %j as %j, in text and in attributes', (text, written) => {
    expect(html`<p title="${text}">${[text]}</p>`.text).toBe(`<p title="${written}">${written}</p>`);
  });

  it('lets pass only what is HTML already', () => {
    expect(html`<ul>${['a', '<'].map((one) => html`<li>${one}</li>`)}</ul>`.text).toBe(
      '<ul><li>a</li><li>&lt;</li></ul>',
    );
  });

  it('writes JSON that has neither markup nor entities, and is the same JSON', () => {
    const value = { search: `</cwdb-action><script>&amp;'"\u2028é\u{1f600}` };
    const { text } = htmlJson(value);
    expect(text).toMatch(/^[ -~]*$/);
    expect(text).not.toMatch(/[<>&']/);
    expect(JSON.parse(text)).toEqual(value);
  });
});
