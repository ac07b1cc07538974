// What CloudWatch shows of the widget where a person asks for its documentation.

/** Markdown, as CloudWatch asks for with `{"describe": true}`. */
export const widgetDocs = `## Certificates of Certrelay

Shows how each certificate stands, the worst first, and one page for each. It only reads, and never a private key.
Buttons that order, deliver, pause or acknowledge ask first, and call the functions with **your** rights.

### Parameters

All are optional; without any the page lists everything.

Name | Meaning
---|---
**search** | part of a name, of a target or of a reason
**health** | \`Degraded\`, \`Suspended\`, \`Progressing\` or \`Healthy\`
**page** | a number from 1; a page has 50 certificates
**certificate** | shows the page of this certificate

### Example

\`\`\` yaml
health: Degraded
\`\`\`
`;
