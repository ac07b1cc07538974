// Domain names as Route 53 keeps, shows and sorts them (Developer Guide, "DNS domain name format").

/** Absolute, lower case, trailing dot; every character but a-z, 0-9, hyphen and underscore as `\ooo`. */
export function canonicalName(name: string): string {
  const withDot = name.endsWith('.') ? name : `${name}.`;
  return withDot.replaceAll(/\\([0-7]{3})|([\s\S])/g, (_whole, octal: string | undefined, plain: string) => {
    if (octal === undefined && plain === '.') return '.';
    const character = octal === undefined ? plain : String.fromCharCode(Number.parseInt(octal, 8));
    const lower = character.toLowerCase();
    return /[a-z0-9_-]/.test(lower) ? lower : `\\${lower.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}

/** The name with its characters as they are, for DNS; a dot inside a label does not occur here. */
export function plainName(canonical: string): string {
  return canonical.replaceAll(/\\([0-7]{3})/g, (_whole, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Listing order: labels reversed (`com.example.www.`), compared as ASCII, the dots included. */
export function compareNames(a: string, b: string): number {
  const [left, right] = [reversedLabels(a), reversedLabels(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function reversedLabels(name: string): string {
  return `${plainName(name).slice(0, -1).split('.').toReversed().join('.')}.`;
}
