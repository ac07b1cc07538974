// Restricts the URLs that a CA may send us to: the origin of its directory, and the origins in it.
import { AcmeError } from '../../ports/acme.ts';

/** Longest URL that is accepted from a CA, in characters. */
const maxUrl = 2_000;

/** The origins that requests to one CA may go to. */
export class Origins {
  readonly #known: ReadonlySet<string>;

  /** `directoryEntries`: the URLs in the directory object. Those that are not https add no origin. */
  constructor(directoryUrl: string, directoryEntries: readonly (string | undefined)[]) {
    const urls = [directoryUrl, ...directoryEntries].flatMap((text) => URL.parse(text ?? '') ?? []);
    this.#known = new Set(urls.filter(({ protocol }) => protocol === 'https:').map(({ origin }) => origin));
  }

  /** The absolute URL of a reference in the response from `base`. An absolute URL keeps its spelling, because
   *  the signature of a request covers it.
   *  @throws AcmeError `Malformed` if it is not an https URL, is over 2,000 characters, contains a user or a
   *  password, or is of another origin. */
  resolve(reference: string, base: string): string {
    const shown = JSON.stringify(reference.slice(0, 200));
    if (reference.length > maxUrl)
      throw new AcmeError('Malformed', `the CA sent a URL of ${reference.length} characters: ${shown}`);
    const url = URL.parse(reference) ?? URL.parse(reference, base);
    if (url?.protocol !== 'https:')
      throw new AcmeError('Malformed', `the CA sent a URL that is not https: ${reference.slice(0, 200)}`);
    if (url.username !== '' || url.password !== '')
      throw new AcmeError('Malformed', `the CA sent a URL with a user or a password, at ${url.host}`);
    if (!this.#known.has(url.origin)) {
      const known = [...this.#known].join(', ').slice(0, 500);
      throw new AcmeError(
        'Malformed',
        `the CA sent the URL ${shown}, but its directory is not on ${url.origin} and does not name it (only ${known}); nothing is sent there`,
      );
    }
    return URL.canParse(reference) ? reference : url.href;
  }
}
