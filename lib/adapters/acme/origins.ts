// Where a CA may send us: the origins that its directory is on or names, and no other.
import { AcmeError } from '../../ports/acme.ts';

/** Longest URL that is taken from a CA. */
const maxUrl = 2_000;

/** The origins of one CA. */
export class Origins {
  readonly #known: ReadonlySet<string>;

  /** `named`: the URLs in the directory object; those that are not https name no origin. */
  constructor(directoryUrl: string, named: readonly (string | undefined)[]) {
    const urls = [directoryUrl, ...named].flatMap((text) => URL.parse(text ?? '') ?? []);
    this.#known = new Set(urls.filter(({ protocol }) => protocol === 'https:').map(({ origin }) => origin));
  }

  /** The absolute URL that an answer from `base` refers to; an absolute one stays as it is spelled, because it is signed so.
   *  @throws AcmeError `Malformed` if it is no https URL, is longer than 2,000 characters, holds a user or a password, or is
   *  of another origin. */
  resolve(reference: string, base: string): string {
    const shown = JSON.stringify(reference.slice(0, 200));
    if (reference.length > maxUrl)
      throw new AcmeError('Malformed', `the CA names an address of ${reference.length} characters: ${shown}`);
    const url = URL.parse(reference) ?? URL.parse(reference, base);
    if (url?.protocol !== 'https:')
      throw new AcmeError(
        'Malformed',
        `the CA names an address that is not https: ${reference.slice(0, 200)}`,
      );
    if (url.username !== '' || url.password !== '')
      throw new AcmeError('Malformed', `the CA names an address with a user or a password, at ${url.host}`);
    if (!this.#known.has(url.origin)) {
      const known = [...this.#known].join(', ').slice(0, 500);
      throw new AcmeError(
        'Malformed',
        `the CA names ${shown}, and its directory is not on ${url.origin} and does not name it (only ${known}); nothing is sent there`,
      );
    }
    return URL.canParse(reference) ? reference : url.href;
  }
}
