// The frame in which the sandbox shows the widget, as CloudWatch's console does.

/** The page. `token` proves that a call comes from it; `widget`: ARN of the function that is shown. */
export function makeFrame(token: string, widget: string): string {
  return `<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="token" content="${token}">
<meta name="widget" content="${widget}">
<title>Certrelay in the sandbox</title>
<style>
:root{color-scheme:light;--fg:#16191f;--bg:#f2f3f3;--panel:#fff;--link:#0058a8}
:root[data-theme=dark]{color-scheme:dark;--fg:#e9ebed;--bg:#000716;--panel:#0f1b2a;--link:#7cc0ff}
*{box-sizing:border-box}
body{margin:0;font:14px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
header{display:flex;flex-wrap:wrap;gap:8px;align-items:center;padding:8px}
header h1{font-size:16px;margin:0;flex:1 1 160px}
header button,dialog button{font:inherit;color:var(--link);background:var(--panel);border:1px solid var(--link);border-radius:4px;padding:4px 12px;min-height:28px}
main{padding:0 8px 8px}
#widget{background:var(--panel);min-height:200px;outline-offset:-2px}
dialog{max-width:min(480px,calc(100vw - 16px));color:var(--fg);background:var(--panel);border:1px solid var(--fg);overflow-wrap:anywhere}
dialog pre{white-space:pre-wrap}
cwdb-action{display:none}
</style>
</head>
<body>
<header><h1>Dashboard certrelay-dev, in the sandbox</h1>
<button type="button" id="theme">Light or dark</button>
<button type="button" id="refresh">Refresh</button></header>
<main><div id="widget" tabindex="-1"></div></main>
<dialog id="question" aria-labelledby="question-text"><form method="dialog"><p id="question-text"></p>
<button value="yes">Yes</button> <button value="">Cancel</button></form></dialog>
<dialog id="answer" aria-labelledby="answer-text"><form method="dialog"><div id="answer-text"></div>
<p><button value="">Close</button></p></form></dialog>
<script type="module" src="/browser.js"></script>
</body>
</html>
`;
}
