// The style of the page, light and dark, wide and narrow. All of it counts below its own class alone.
import { healthWords } from '../state/health.ts';
import { conditionColumns, listColumns, targetColumns } from './columns.ts';
import { Html } from './html.ts';

const light =
  '--fg:#16191f;--dim:#545b64;--bg:#fff;--line:#c3c9cf;--soft:#f2f3f3;--link:#0058a8;--Degraded:#b21f1f;--Suspended:#7a4b00;--Progressing:#0058a8;--Healthy:#1a6b2b;--window:#16191f';
const dark =
  '--fg:#e9ebed;--dim:#b6bec9;--bg:#0f1b2a;--line:#5f6b7a;--soft:#1d2a3a;--link:#7cc0ff;--Degraded:#ff8f8f;--Suspended:#ffc46b;--Progressing:#7cc0ff;--Healthy:#7ddb93;--window:#fff';

const healths = healthWords.map((word) => `.certrelay .${word}{--is:var(--${word})}`).join('');

/** On a narrow page each row is a block, and each cell but the first says what it is. */
function labels(table: string, columns: readonly string[]): string {
  return columns
    .slice(1)
    .map((name, index) => `.certrelay ${table} td:nth-child(${index + 2})::before{content:"${name}"}`)
    .join('');
}

const css = `.certrelay{${light};color:var(--fg);background:var(--bg);font:14px/1.45 system-ui,sans-serif;container-type:inline-size;padding:8px;box-sizing:border-box;overflow-wrap:anywhere;text-align:left}
.certrelay.dark{${dark}}
${healths}
.certrelay *{box-sizing:border-box}
.certrelay cwdb-action{display:none}
.certrelay h2{font-size:20px;margin:0 0 8px}
.certrelay h3{font-size:16px;margin:16px 0 4px}
.certrelay ul{margin:0;padding:0;list-style:none}
.certrelay p{margin:8px 0}
.certrelay .foot{color:var(--dim);font-size:12px}
.certrelay button{font:inherit;color:var(--link);background:var(--bg);border:1px solid var(--link);border-radius:4px;padding:4px 12px;min-height:28px;cursor:pointer;text-align:left;max-width:100%;overflow-wrap:anywhere}
.certrelay button.btn-primary{color:var(--bg);background:var(--link)}
.certrelay button:disabled{color:var(--dim);border-color:var(--line);cursor:default}
.certrelay button.link{border:0;background:none;padding:2px 0;text-decoration:underline;font-weight:600}
.certrelay button:focus-visible,.certrelay input:focus-visible,.certrelay select:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.certrelay .tiles{display:flex;flex-wrap:wrap;gap:8px}
.certrelay .tile{border-color:var(--line);color:var(--fg);min-width:120px}
.certrelay .count{display:block;font-size:24px;font-weight:700}
.certrelay .health{color:var(--is);white-space:nowrap;font-weight:600}
.certrelay .word{white-space:nowrap}
.certrelay .health svg{fill:currentColor;vertical-align:-2px}
.certrelay .health .on{fill:var(--bg)}
.certrelay .others li{border-left:3px solid var(--line);padding:2px 8px;margin:4px 0}
.certrelay .command{display:block;background:var(--soft);padding:4px 8px;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.4 ui-monospace,monospace}
.certrelay .search,.certrelay .deeds,.certrelay .pages{display:flex;flex-wrap:wrap;gap:8px;align-items:end;margin:12px 0}
.certrelay nav.pages{justify-content:space-between}
.certrelay label{display:flex;flex-direction:column;font-size:12px;color:var(--dim);min-width:0}
.certrelay input,.certrelay select{font:inherit;font-size:14px;color:var(--fg);background:var(--bg);border:1px solid var(--dim);border-radius:4px;padding:4px 8px;min-height:32px;width:100%;min-width:0}
.certrelay table{width:100%;border-collapse:collapse;table-layout:auto}
.certrelay th,.certrelay td{text-align:left;vertical-align:top;padding:6px 8px;border-bottom:1px solid var(--line);font-weight:400;min-width:88px}
.certrelay thead th{color:var(--dim);font-size:12px;background:var(--soft)}
.certrelay .bar{position:relative;display:block;height:10px;min-width:88px;margin-top:4px;background:var(--soft);border:1px solid var(--dim);overflow:hidden}
.certrelay .bar i{position:absolute;top:0;bottom:0;right:0;background:var(--is)}
.certrelay .bar b{position:absolute;top:2px;bottom:2px;background:var(--bg);border:1px solid var(--window)}
.certrelay dl{margin:8px 0}
.certrelay dl div{display:flex;flex-wrap:wrap;gap:0 12px;padding:4px 0;border-bottom:1px solid var(--line)}
.certrelay dt{color:var(--dim);width:130px}
.certrelay dd{margin:0;flex:1 1 160px;min-width:0}
.certrelay summary{cursor:pointer;color:var(--link);padding:4px 0}
.certrelay summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.certrelay .calendar{table-layout:fixed;max-width:640px}
.certrelay .calendar th,.certrelay .calendar td{min-width:0;padding:2px 4px;border:1px solid var(--line);font-size:12px;color:var(--dim)}
.certrelay .calendar td[title]{background:var(--soft);color:var(--fg)}
.certrelay .calendar b{display:block;font-size:14px}
@container (max-width:760px){
.certrelay .list,.certrelay .list tbody,.certrelay .list tr,.certrelay .list td,.certrelay .list tbody th{display:block;width:100%}
.certrelay .list thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.certrelay .list tr{border:1px solid var(--line);border-radius:4px;margin:8px 0;padding:4px 8px}
.certrelay .list tbody th,.certrelay .list td{border:0;padding:2px 0}
.certrelay .list td::before{display:inline-block;width:90px;color:var(--dim);font-size:12px}
.certrelay .list td ul{display:inline-block;vertical-align:top}
${labels('.list', listColumns)}
${labels('.Conditions', conditionColumns)}
${labels('.Targets', targetColumns)}
}`;

/** The element, to stand within the page. */
export const style = new Html(`<style>${css}</style>`);
